// RequestQueue: requests that wait for an instance with room, first come, first served, up to a
// limit. Pure.
//
// Invariant: a request is in at most one queue, and is removed before it is destroyed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <list>

#include "base/check.hpp"

namespace meridian::dispatch {

template <class Request>
class RequestQueue {
 public:
  explicit RequestQueue(size_t limit) : limit_(limit) {}
  RequestQueue(const RequestQueue&) = delete;
  RequestQueue& operator=(const RequestQueue&) = delete;
  ~RequestQueue() { CHECK(requests_.empty()); }

  bool empty() const { return requests_.empty(); }
  size_t size() const { return requests_.size(); }

  // Adds at the end; false when the queue is full.
  bool Add(Request& request) {
    if (requests_.size() >= limit_) return false;
    requests_.push_back(&request);
    return true;
  }

  // A request that times out is near the front, so the search is short.
  void Remove(Request& request) {
    auto at = std::ranges::find(requests_, &request);
    CHECK(at != requests_.end());
    requests_.erase(at);
  }

  // Removes and returns the first request for which `can_be_served` is true; null without one.
  template <class Predicate>
  Request* Take(Predicate can_be_served) {
    for (auto it = requests_.begin(); it != requests_.end(); ++it) {
      if (!can_be_served(**it)) continue;
      Request* first = *it;
      requests_.erase(it);
      return first;
    }
    return nullptr;
  }

 private:
  size_t limit_;
  std::list<Request*> requests_;
};

}  // namespace meridian::dispatch
