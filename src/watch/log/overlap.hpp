// Overlap: entries that are in a store, and may come once more, because a process ended before it
// had written how far it was. Each is left out as often as it was stored. Pure; owned by the
// reader; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "watch/log/entry.hpp"

namespace meridian::watch {

// Of what is the same when an entry comes again: origin, time, text and fields, not its arrival and
// sequence.
uint64_t EntryHash(const LogEntry& entry);
// The same for an entry whose line is read again: without its time if that is equal to the arrival,
// because the line has none.
uint64_t LineHash(const LogEntry& entry);

class Overlap {
 public:
  // The hash of an entry of the store. False: it holds kMaxOverlapEntries already; those that are
  // not in it are stored twice.
  bool Add(uint64_t hash);
  // Whether an entry with this hash is in the store already.
  bool Take(uint64_t hash);

  size_t size() const { return size_; }
  void Clear();

 private:
  std::unordered_map<uint64_t, uint32_t> counts_;  // by hash
  size_t size_ = 0;
};

}  // namespace meridian::watch
