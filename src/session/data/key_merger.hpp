// KeyMerger: merges versions of keys into the table: changes of other data centers, and of this one
// at a start, by the rules of merge.hpp; and FLUSHALL, key by key.
//
// Owned by the Keyspace; one thread: the loop's.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.hpp"
#include "base/hybrid_clock.hpp"
#include "base/result.hpp"
#include "session/data/entry.hpp"
#include "session/data/key_table.hpp"
#include "session/data/merge.hpp"
#include "session/data/stamp.hpp"
#include "session/data/tombstones.hpp"

namespace meridian::session {

class KeyMerger {
 public:
  // Names of fields, in the order in which they are to be added. Those that are not among them are
  // added behind them.
  using FieldOrder = std::span<const std::string_view>;

  // `seed` is that of hashing.
  KeyMerger(KeyTable& table, Tombstones& tombstones, const HybridClock& clock, uint64_t seed)
      : table_(table), tombstones_(tombstones), clock_(clock), seed_(seed) {}

  // See Keyspace::Apply.
  Result<void> Apply(Bytes record);
  void Apply(std::string_view key, KeyState state, FieldOrder order = {});

  // Applies the last flush to an entry that is older: what is left of it, or null.
  Entry* ApplyFlushTo(Entry* entry);
  // One loop iteration of applying the last flush to all entries. Whether that is done.
  bool ContinueFlush();

 private:
  void MergeFields(Parts& parts, const Stamp& delete_stamp, const KeyState& state,
                   FieldOrder order);
  void MergeMembers(Parts& parts, const Stamp& delete_stamp, const KeyState& state);
  void MergeParts(Parts& parts, const Stamp& delete_stamp, const KeyState& state, FieldOrder order);
  Entry* MergeContent(std::string_view key, Entry* entry, KeyState& state, FieldOrder order);

  KeyTable& table_;
  Tombstones& tombstones_;
  const HybridClock& clock_;
  uint64_t seed_;
};

}  // namespace meridian::session
