// SIEVE (Zhang et al., NSDI '24): which entry of a cache goes next. A queue in the order of
// arrival, in which a hit only sets a mark, so that a hit moves nothing; a hand walks from the
// oldest to the newest, clears marks, and stops at the first entry without one. What came and was
// never asked for again goes soon, which keeps a scan from washing out the rest.
//
// Pure; the entries own their nodes, and must leave before they go. One thread.
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

  // The entry that is to go. It stays until it is removed, and the hand has passed it: another call
  // gives another. Not for an empty queue.
  SieveNode* Next() {
    CHECK(size_ > 0);
    SieveNode* node = hand_ == nullptr ? oldest_ : hand_;
    while (node->visited) {
      node->visited = false;
      node = node->newer == nullptr ? oldest_ : node->newer;
    }
    hand_ = node->newer;
    return node;
  }

 private:
  SieveNode* oldest_ = nullptr;
  SieveNode* newest_ = nullptr;
  SieveNode* hand_ = nullptr;  // where to look next; null: from the oldest
  size_t size_ = 0;
};

}  // namespace meridian::edge
