#include "edge/fetch/hot_responses.hpp"

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

#include "base/clock.hpp"
#include "edge/cache/cache_key.hpp"
#include "edge/cache/storage/stored_response.hpp"
#include "edge/cache/vary.hpp"
#include "edge/limits.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {
namespace {

// Its control block, with the loop's count of references, begins a cache line and fills it, so that
// no other loop's memory is on that line.
struct alignas(64) Holder {
  std::shared_ptr<StoredResponse> shared;
};

std::shared_ptr<StoredResponse> HandleOf(const std::shared_ptr<StoredResponse>& response) {
  auto holder = std::make_shared<Holder>(response);
  StoredResponse* held = holder->shared.get();
  return {std::move(holder), held};
}

bool IsValid(const StoredResponse& response) {
  return !response.removed.load(std::memory_order_acquire) &&
         !response.superseded.load(std::memory_order_acquire);
}

bool IsVariantOf(const StoredResponse& response, const wire::http::HeaderFields& request) {
  return response.vary.empty() || VariantKey(response.vary, request) == response.variant;
}

}  // namespace

std::shared_ptr<StoredResponse> HotResponses::Find(const KeyView& key,
                                                   const wire::http::HeaderFields& request,
                                                   TimePoint now) {
  for (Slot& slot : SlotsOf(key)) {
    if (slot.handle == nullptr || slot.hash != key.hash) continue;
    if (!IsValid(*slot.handle)) {
      Drop(slot);
      continue;
    }
    if (!KeyIs(key, slot.key) || !IsVariantOf(*slot.handle, request)) continue;
    slot.used = now;
    return slot.handle;
  }
  return nullptr;
}

void HotResponses::OnFound(const KeyView& key, const wire::http::HeaderFields& request,
                           const std::shared_ptr<StoredResponse>& response, TimePoint now) {
  Slot* free = nullptr;
  Slot* found_once = nullptr;
  for (Slot& slot : SlotsOf(key)) {
    const bool recent = now - kHotLife < slot.used;
    if (slot.handle == nullptr && slot.hash == key.hash && recent) found_once = &slot;
    const bool is_free = slot.handle == nullptr || !recent;
    if (is_free && (free == nullptr || slot.used < free->used)) free = &slot;
  }
  if (found_once == nullptr) {
    if (free == nullptr) return;  // others are hot
    Drop(*free);
    free->hash = key.hash;
    free->used = now;
    return;
  }
  const size_t bytes = response->charge.bytes() + response->body->cost();
  const bool fits = bytes <= max_bytes_ - bytes_;
  if (!fits || response->piece || !IsValid(*response) || !IsVariantOf(*response, request)) return;
  Slot& slot = *found_once;
  slot.key = KeyText(key);
  slot.handle = HandleOf(response);
  slot.bytes = bytes;
  slot.used = now;
  bytes_ += bytes;
  ++held_;
}

void HotResponses::DropUnused(TimePoint now) {
  for (Slot& slot : slots_) {
    if (slot.handle != nullptr && slot.used <= now - kHotLife) Drop(slot);
  }
}

void HotResponses::Drop(Slot& slot) {
  if (slot.handle == nullptr) return;
  // Its hits were here, so the store has seen none.
  slot.handle->was_hot.store(true, std::memory_order_relaxed);
  slot.handle.reset();
  bytes_ -= slot.bytes;
  --held_;
}

}  // namespace meridian::edge
