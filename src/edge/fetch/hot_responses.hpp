// HotResponses: the stored responses that one loop of several serves often. A hit of a hot key
// touches neither the store's mutex nor the response's shared count of references: both are cache
// lines that all loops would write. Owned by the cache's handler of a loop; one thread, the loop's.
//
// A handle is a shared_ptr whose count of references belongs to this loop; it holds one reference
// to the shared response. It is valid while the response has not left the store (`removed`), which
// all loops only read. A key becomes hot by two look-ups within kHotLife, and is dropped when it
// was not used for kHotLife, so that the store can evict the response.
//
// Invariant: all loops together hold at most 1/kHotBudgetShare of the store's budget here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "edge/cache/cache_key.hpp"
#include "edge/cache/storage/stored_response.hpp"
#include "edge/limits.hpp"

namespace meridian::edge {

class HotResponses {
 public:
  // For one of `loops` loops, of a store with this budget.
  HotResponses(size_t budget_bytes, size_t loops)
      : max_bytes_(budget_bytes / kHotBudgetShare / kMaxHotResponses / loops) {}

  // The response for every request with this key; null: it is not hot.
  std::shared_ptr<StoredResponse> Find(const KeyView& key, TimePoint now);
  // The store has found `response`. It may become hot if it has no variants and is no piece.
  void OnFound(const KeyView& key, const std::shared_ptr<StoredResponse>& response, TimePoint now);
  // To be called each kHotLife.
  void DropUnused(TimePoint now);
  bool empty() const { return held_ == 0; }

 private:
  // Each key has one slot, by its hash.
  struct Slot {
    uint64_t hash = 0;
    std::string key;
    std::shared_ptr<StoredResponse> handle;  // null: the key was found once
    TimePoint used = TimePoint::min();
  };
  Slot& SlotOf(const KeyView& key) { return slots_[key.hash % slots_.size()]; }
  void Drop(Slot& slot);

  const size_t max_bytes_;  // of one response
  std::array<Slot, kMaxHotResponses> slots_;
  size_t held_ = 0;
};

}  // namespace meridian::edge
