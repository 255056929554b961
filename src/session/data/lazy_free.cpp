#include "session/data/lazy_free.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>

#include "session/data/collections.hpp"
#include "session/data/entry.hpp"
#include "session/data/scan_table.hpp"
#include "session/limits.hpp"

namespace meridian::session {

void LazyFree::Push(Remains remains, size_t items) {
  pending_ += items;
  queue_.push_back(std::move(remains));
}

void LazyFree::Take(ScanTable<Entry>::Remains keys) {
  size_t items = keys.size();
  Push(std::move(keys), items);
}

size_t LazyFree::Take(std::unique_ptr<Fields> fields) {
  size_t items = fields->size() + fields->tombstones();
  if (items <= kFreedAtOnce) return items;
  Push(fields->TakeAll(), items);
  return 0;
}

size_t LazyFree::Take(std::unique_ptr<Members> members) {
  size_t items = members->size() + members->tombstones();
  if (items <= kFreedAtOnce) return items;
  Push(members->TakeAll(), items);
  return 0;
}

size_t LazyFree::Take(Entry* entry) {
  size_t freed = 1;
  if (entry->kind() == Entry::Kind::kParts) {
    Parts& parts = entry->parts();
    if (parts.fields) freed += Take(std::move(parts.fields));
    if (parts.members) freed += Take(std::move(parts.members));
  }
  Entry::Destroy(entry);
  return freed;
}

void LazyFree::FreeSome(size_t count) {
  while (count > 0 && !queue_.empty()) {
    size_t freed = 1;  // an empty segment counts as well
    auto free = [&](auto& remains) {
      using Item = typename std::remove_reference_t<decltype(remains)>::value_type;
      // A large collection of a key is queued behind all others: the front of the queue stays.
      pending_ -= remains.FreeSegment([&](Item* item) {
        if constexpr (std::is_same_v<Item, Entry>) {
          freed += Take(item);
        } else {
          Item::Destroy(item);
          ++freed;
        }
      });
      return remains.empty();
    };
    if (std::visit(free, queue_.front())) queue_.pop_front();
    count -= std::min(count, freed);
  }
}

}  // namespace meridian::session
