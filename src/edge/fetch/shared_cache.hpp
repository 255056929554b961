// SharedCache: the part of the cache that is one for all loops of an edge: stored responses,
// fetches in flight, and what is known of keys that are not stored. Owned by the edge; must outlive
// the CacheHandlers, of which each loop has one. Any thread: each member says how.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "edge/cache/storage/memory_store.hpp"
#include "edge/cache/storage/pass_table.hpp"
#include "edge/config.hpp"
#include "edge/costs/wasteful_urls.hpp"
#include "edge/fetch/coalesced_fetch.hpp"
#include "edge/limits.hpp"

namespace meridian::edge {

class SharedCache {
 public:
  // `seed` is for hashing keys; `of_loops`: the number of loops that use it.
  SharedCache(const Config& config, uint64_t seed, size_t of_loops)
      : loops(of_loops),
        store(config.cache.bytes, seed, shared()),
        fetches(shared()),
        passes(shared()),
        too_large(shared(), kTooLargeTime),
        unread(shared()),
        wasteful(shared()) {}

  bool shared() const { return loops > 1; }

  const size_t loops;
  MemoryStore store;
  FetchTable fetches;
  PassTable passes;     // keys whose responses were not shareable (hit-for-miss)
  PassTable too_large;  // keys of objects over max_object_bytes
  UnreadFetches unread;
  WastefulUrls wasteful;

  // Counts a background fetch in flight. False: there are kMaxBackgroundFetches.
  [[nodiscard]] bool TakeBackgroundFetch() {
    if (background_fetches_.fetch_add(1, std::memory_order_relaxed) < kMaxBackgroundFetches) {
      return true;
    }
    GiveBackgroundFetch();
    return false;
  }
  void GiveBackgroundFetch() { background_fetches_.fetch_sub(1, std::memory_order_relaxed); }

  // An isolated edge may miss purges: it uses a stored response only after validation. Read by
  // every hit, and written when it changes.
  bool isolated() const { return isolated_.load(std::memory_order_relaxed); }
  void SetIsolated(bool isolated) {
    if (isolated != this->isolated()) isolated_.store(isolated, std::memory_order_relaxed);
  }

 private:
  std::atomic<size_t> background_fetches_ = 0;
  alignas(64) std::atomic<bool> isolated_ = false;
};

}  // namespace meridian::edge
