#include "edge/fetch/hot_responses.hpp"

#include <atomic>
#include <memory>
#include <utility>

#include "base/clock.hpp"
#include "edge/cache/cache_key.hpp"
#include "edge/cache/storage/stored_response.hpp"
#include "edge/limits.hpp"

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

}  // namespace

std::shared_ptr<StoredResponse> HotResponses::Find(const KeyView& key, TimePoint now) {
  Slot& slot = SlotOf(key);
  if (slot.handle == nullptr || slot.hash != key.hash) return nullptr;
  if (slot.handle->removed.load(std::memory_order_acquire)) {
    Drop(slot);
    return nullptr;
  }
  if (!KeyIs(key, slot.key)) return nullptr;
  slot.used = now;
  return slot.handle;
}

void HotResponses::OnFound(const KeyView& key, const std::shared_ptr<StoredResponse>& response,
                           TimePoint now) {
  Slot& slot = SlotOf(key);
  const bool recent = now - kHotLife < slot.used;
  if (slot.handle != nullptr && recent) return;  // another key is hot
  if (slot.hash != key.hash || !recent) {
    Drop(slot);
    slot.hash = key.hash;
    slot.used = now;
    return;
  }
  const bool fits = response->charge.bytes() + response->body->cost() <= max_bytes_;
  if (!fits || !response->vary.empty() || response->piece) return;
  slot.key = KeyText(key);
  slot.handle = HandleOf(response);
  slot.used = now;
  ++held_;
}

void HotResponses::DropUnused(TimePoint now) {
  for (Slot& slot : slots_) {
    if (slot.handle != nullptr && slot.used <= now - kHotLife) Drop(slot);
  }
}

void HotResponses::Drop(Slot& slot) {
  if (slot.handle == nullptr) return;
  slot.handle.reset();
  --held_;
}

}  // namespace meridian::edge
