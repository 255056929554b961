// HotResponses: the stored responses that one loop of several serves often. A hit of a hot response
// touches neither the store's mutex nor the response's shared count of references: both are cache
// lines that all loops would write. Owned by the cache's handler of a loop; one thread, the loop's.
//
// A handle is a shared_ptr whose count of references belongs to this loop; it holds one reference
// to the shared response. It is valid while the response has not left the store (`removed`) and no
// newer variant answers its requests (`superseded`), which all loops only read. A response becomes
// hot by two look-ups within kHotLife, and is dropped when it was not used for kHotLife, so that
// the store can evict it.
//
// Invariants: all loops together hold at most 1/kHotBudgetShare of the store's budget here. A
// response with Vary answers only requests whose VariantKey is that of the request which it was
// made for, letter by letter; the store would give them the same response.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/clock.hpp"
#include "edge/cache/cache_key.hpp"
#include "edge/cache/storage/stored_response.hpp"
#include "edge/limits.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {

class HotResponses {
 public:
  // For one of `loops` loops, of a store with this budget.
  HotResponses(size_t budget_bytes, size_t loops)
      : max_bytes_(budget_bytes / kHotBudgetShare / loops) {}

  // The response for a request with this key and these fields; null: it is not hot.
  std::shared_ptr<StoredResponse> Find(const KeyView& key, const wire::http::HeaderFields& request,
                                       TimePoint now);
  // The store has found `response` for that request. It may become hot if it is no piece.
  void OnFound(const KeyView& key, const wire::http::HeaderFields& request,
               const std::shared_ptr<StoredResponse>& response, TimePoint now);
  // To be called each kHotLife.
  void DropUnused(TimePoint now);
  bool empty() const { return held_ == 0; }
  // The memory of the hot responses.
  size_t bytes() const { return bytes_; }

 private:
  struct Slot {
    uint64_t hash = 0;
    std::string key;
    std::shared_ptr<StoredResponse> handle;  // null: the key was found once
    size_t bytes = 0;                        // of the response
    TimePoint used = TimePoint::min();
  };
  // The slots that a key may have, by its hash.
  std::span<Slot> SlotsOf(const KeyView& key) {
    constexpr size_t kSets = kMaxHotResponses / kHotResponsesOfHash;
    return std::span(slots_).subspan(key.hash % kSets * kHotResponsesOfHash, kHotResponsesOfHash);
  }
  void Drop(Slot& slot);

  const size_t max_bytes_;
  std::array<Slot, kMaxHotResponses> slots_;
  size_t held_ = 0;
  size_t bytes_ = 0;
};

}  // namespace meridian::edge
