// SIEVE (Zhang et al., NSDI '24): chooses the next entry to evict. The queue is in the order of
// arrival, and a hit only sets a mark. A hand walks from the oldest to the newest entry, clears
// marks, and stops at the first entry without a mark. An entry that is never hit is evicted soon,
// so that a scan does not evict the others.
//
// Pure; the entries own their nodes, and must remove them before they are destroyed. One thread.
#pragma once

#include <cstddef>

#include "base/check.hpp"

namespace meridian::edge {

struct SieveNode {
  SieveNode* newer = nullptr;
  SieveNode* older = nullptr;
  bool visited = false;
};

class Sieve {
 public:
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  void Add(SieveNode* node) {
    node->older = newest_;
    node->newer = nullptr;
    node->visited = false;
    (newest_ == nullptr ? oldest_ : newest_->newer) = node;
    newest_ = node;
    ++size_;
  }

  void Remove(SieveNode* node) {
    if (hand_ == node) hand_ = node->newer;
    (node->older == nullptr ? oldest_ : node->older->newer) = node->newer;
    (node->newer == nullptr ? newest_ : node->newer->older) = node->older;
    node->older = node->newer = nullptr;
    CHECK(size_ > 0);
    --size_;
  }

  // The entry to evict. It stays in the queue until it is removed; the hand has passed it, so that
  // the next call returns another entry. The queue must not be empty.
  SieveNode* Next() {
    size_t steps = 2 * size_;  // once around to clear all marks
    return Next(&steps);
  }
  // The same within `*steps` entries, which it takes from `*steps`. Null: all of these had marks;
  // the next call goes on behind them.
  SieveNode* Next(size_t* steps) {
    CHECK(size_ > 0);
    while (*steps > 0) {
      --*steps;
      SieveNode* node = hand_ == nullptr ? oldest_ : hand_;
      hand_ = node->newer;
      if (!node->visited) return node;
      node->visited = false;
    }
    return nullptr;
  }

 private:
  SieveNode* oldest_ = nullptr;
  SieveNode* newest_ = nullptr;
  SieveNode* hand_ = nullptr;  // the next entry to look at; null: the oldest
  size_t size_ = 0;
};

}  // namespace meridian::edge
