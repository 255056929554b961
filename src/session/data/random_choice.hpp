// The random choice of items of a set or hash: SRANDMEMBER, SPOP, HRANDFIELD.
#pragma once

#include <algorithm>
#include <cstddef>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/random.hpp"

namespace meridian::session {

// `count` different items of a Fields or Members; if there are not more, all in their order. Takes
// time for the items chosen, not for all items. The pointers are valid until the next change.
template <class Item, class Items>
std::vector<const Item*> ChooseDifferent(const Items& items, size_t count, Random& random) {
  // If most items are to be chosen, samples would repeat: then all are shuffled.
  constexpr size_t kSparse = 4;
  constexpr size_t kTriesEach = 4;
  std::vector<const Item*> chosen;
  if (count >= items.size()) {
    items.ForEachInOrder([&](const Item& item) { chosen.push_back(&item); });
    return chosen;
  }
  if (count <= items.size() / kSparse) {
    std::unordered_set<const Item*> seen;
    for (size_t tries = count * kTriesEach; tries > 0 && chosen.size() < count; --tries) {
      const Item* item = &items.Sample(random);
      if (seen.insert(item).second) chosen.push_back(item);
    }
    if (chosen.size() == count) return chosen;
    chosen.clear();
  }
  items.ForEach([&](const Item& item) { chosen.push_back(&item); });
  for (size_t i = 0; i < count; ++i) {
    std::swap(chosen[i], chosen[i + random.Below(chosen.size() - i)]);
  }
  chosen.resize(count);
  return chosen;
}

}  // namespace meridian::session
