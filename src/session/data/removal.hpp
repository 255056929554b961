// Removal: removes keys without a command: expired keys, and keys of the cache when memory is full.
//
// Owned by the Keyspace; one thread: the loop's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "session/data/entry.hpp"
#include "session/data/key_table.hpp"
#include "session/data/tombstones.hpp"
#include "session/limits.hpp"

namespace meridian::session {

class Removal {
 public:
  Removal(KeyTable& table, Tombstones& tombstones) : table_(table), tombstones_(tombstones) {}

  // The key has expired: says so to the listener, once, and drops it unless a tombstone is needed.
  void Expire(Entry* entry);
  // The same, but keeps the entry.
  void ReportExpired(Entry* entry);
  // One loop iteration of looking for keys that have expired and tombstones that are not needed.
  // False: there was more than one loop iteration may do.
  bool Sweep();
  // Evicts keys of the cache until at most `bytes` are used, at most `max_keys`. Whether at most
  // `bytes` are used.
  bool EvictTo(size_t bytes, int max_keys);

  uint64_t expired() const { return expired_; }
  uint64_t evicted() const { return evicted_; }
  void ResetCounts() { expired_ = evicted_ = 0; }

 private:
  KeyTable& table_;
  Tombstones& tombstones_;
  uint64_t expired_ = 0;
  uint64_t evicted_ = 0;
};

}  // namespace meridian::session
