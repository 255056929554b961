// An item of a snapshot of the keyspace: metadata (snapshot_metadata.hpp), a change, or a part of a
// change that is longer than an item may be. Pure.
//
// A part is a mark with which no change begins, and then a log record's body (log_record.hpp).
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "session/data/keyspace.hpp"
#include "session/replication/log_record.hpp"

namespace meridian::session {

// Splits a change into items.
class ItemsOfChange {
 public:
  // An item has at most `max_bytes`. The change outlives this.
  ItemsOfChange(Bytes record, size_t most) : rest_(record), most_(most) {}

  // Valid until the next call. Nothing: that was the last.
  std::optional<Bytes> Next();

 private:
  Bytes rest_;
  size_t most_;
  bool in_parts_ = false;
  bool done_ = false;
  std::string part_;
};

// Joins items into changes. One reader for each snapshot.
class SnapshotItemReader {
 public:
  // A change, valid until the next call and as long as the item. Nothing: more parts follow.
  // kInvalid.
  Result<std::optional<Bytes>> Take(Bytes item);
  bool within_change() const { return entries_.within_change(); }

 private:
  LogRecordReader entries_;
};

// Merges the change that the item completes into the keyspace. kInvalid.
Result<void> ApplySnapshotItem(SnapshotItemReader& items, Bytes item, Keyspace& keyspace);

}  // namespace meridian::session
