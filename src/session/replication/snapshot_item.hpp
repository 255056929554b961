// What one item of a snapshot of the keyspace is: a basis (basis.hpp), a record, or a part of a
// record that is longer than an item may be. Pure.
//
// A part is a mark that no record begins with, and then an entry as in the log (log_entry.hpp).
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "session/data/keyspace.hpp"
#include "session/replication/log_record.hpp"

namespace meridian::session {

// The items that a record is written as.
class ItemsOfChange {
 public:
  // An item may have so many bytes. The record outlives this.
  ItemsOfChange(Bytes record, size_t most) : rest_(record), most_(most) {}

  // Valid until the next call; nothing behind the last one.
  std::optional<Bytes> Next();

 private:
  Bytes rest_;
  size_t most_;
  bool in_parts_ = false;
  bool done_ = false;
  std::string part_;
};

// Puts them together again. One for each snapshot that is read.
class SnapshotItemReader {
 public:
  // A record, valid until the next call and as long as the item; nothing: more of it follows.
  // kInvalid.
  Result<std::optional<Bytes>> Take(Bytes item);
  bool within_change() const { return entries_.within_change(); }

 private:
  LogRecordReader entries_;
};

// Merges what the item completes into the keyspace. kInvalid.
Result<void> ApplySnapshotItem(SnapshotItemReader& items, Bytes item, Keyspace& keyspace);

}  // namespace meridian::session
