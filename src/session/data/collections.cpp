#include "session/data/collections.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "base/hybrid_clock.hpp"
#include "base/random.hpp"
#include "session/data/collection.hpp"
#include "session/data/field.hpp"
#include "session/data/member.hpp"
#include "session/data/scan_table.hpp"
#include "session/data/stamp.hpp"

namespace meridian::session {
namespace {

// After so many samples that were tombstones, a walk finds an item that is present.
constexpr int kMaxSamples = 64;

}  // namespace

template <class Item>
bool Collection<Item>::Merge(const Change& change) {
  readings_.BeforeChange();
  uint64_t hash = table_.HashOf(change.name);
  Item* old = table_.Find(change.name, hash);
  bool was_present = old != nullptr && old->present();
  Item* merged = Item::Merged(old, change);
  if (merged == nullptr) return false;
  if (present_ == 0) was_large_ = false;
  newest_ = std::max(newest_, change.newest());
  if (!change.present()) tombstone_times_.Add(change.removed_at());
  if constexpr (Item::kKeepsOrder) {
    merged->set_order(was_present ? old->order() : NextOrder());
  }
  if (merged != old) {
    item_bytes_ += merged->memory_bytes();
    if (old == nullptr) {
      table_.Insert(merged, hash);
    } else {
      table_.Replace(old, merged, hash);
      item_bytes_ -= old->memory_bytes();
      Item::Destroy(old);
    }
  }
  present_ += static_cast<size_t>(merged->present()) - static_cast<size_t>(was_present);
  if (merged->present()) NoteSize(*merged);
  CountTombstones();
  return true;
}

template <class Item>
void Collection<Item>::Insert(Item* item) {
  table_.Insert(item, table_.HashOf(item->key()));
  item_bytes_ += item->memory_bytes();
  if (item->present()) {
    ++present_;
    NoteSize(*item);
  }
  CountTombstones();
}

template <class Item>
void Collection<Item>::Remove(Item* item) {
  table_.Remove(item, table_.HashOf(item->key()));
  item_bytes_ -= item->memory_bytes();
  if (item->present()) --present_;
  Item::Destroy(item);
  CountTombstones();
}

template <class Item>
void Collection<Item>::NoteSize(const Item& added) {
  was_large_ = was_large_ || present_ > Item::kSmallItems || !added.fits_small();
}

template <class Item>
uint32_t Collection<Item>::NextOrder()
  requires(Item::kKeepsOrder)
{
  if (next_order_ == std::numeric_limits<uint32_t>::max()) {
    std::vector<Item*> all;
    table_.ForEach([&](Item& item) { all.push_back(&item); });
    std::ranges::sort(all, {}, &Item::order);
    next_order_ = 0;
    for (Item* item : all) item->set_order(next_order_++);
  }
  return next_order_++;
}

template <class Item>
std::span<typename Collection<Item>::Ranked> Collection<Item>::Sorted(
    std::span<Ranked, Item::kSmallItems> into) const {
  size_t count = 0;
  ForEach([&](const Item& item) { into[count++] = {item.rank(), &item}; });
  std::span<Ranked> found = into.first(count);
  std::ranges::sort(found, {}, &Ranked::rank);
  return found;
}

template <class Item>
void Collection<Item>::Forget(std::string_view name) {
  readings_.BeforeChange();
  Item* item = table_.Find(name);
  if (item != nullptr) Remove(item);
}

template <class Item>
void Collection<Item>::DropBefore(const Stamp& delete_stamp) {
  readings_.BeforeChange();
  std::vector<std::pair<Item*, Item*>> changed;  // an item, and its remainder
  newest_ = {};
  table_.ForEach([&](Item& item) {
    Item* left = item.Without(delete_stamp);
    if (left != nullptr) newest_ = std::max(newest_, left->newest());
    if (left != &item) changed.emplace_back(&item, left);
  });
  for (auto [item, left] : changed) {
    Remove(item);
    if (left != nullptr) Insert(left);
  }
}

template <class Item>
bool Collection<Item>::DropTombstones(HybridTime horizon, size_t* items) {
  if (!readings_.empty()) return false;  // later
  std::vector<Item*> dropped;
  size_t seen = 0;
  uint64_t cursor = table_.Scan(tombstone_times_.cursor(), *items, [&](Item& item) {
    ++seen;
    if (item.present()) return;
    HybridTime removed_at = item.removed_at();
    if (removed_at <= horizon) {
      dropped.push_back(&item);
    } else {
      tombstone_times_.Keep(removed_at);
    }
  });
  for (Item* item : dropped) Remove(item);
  *items -= std::min(*items, seen);
  tombstone_times_.Advance(cursor);
  if (tombstones() == 0) tombstone_times_.Clear();
  return cursor == 0 || tombstones() == 0;
}

template <class Item>
ScanTable<Item>::Remains Collection<Item>::TakeAll() {
  readings_.BeforeChange();
  present_ = 0;
  tombstone_times_.Clear();
  newest_ = {};
  item_bytes_ = 0;
  auto remains = table_.TakeAll();
  CountTombstones();
  return remains;
}

template <class Item>
const Item& Collection<Item>::Sample(Random& random) const {
  for (int i = 0; i < kMaxSamples; ++i) {
    const Item* item = table_.Sample(random);
    if (item->present()) return *item;
  }
  const Item* found = nullptr;
  table_.ForEach([&](const Item& item) {
    if (item.present()) found = &item;
  });
  CHECK(found != nullptr);
  return *found;
}

template class Collection<Field>;
template class Collection<Member>;

}  // namespace meridian::session
