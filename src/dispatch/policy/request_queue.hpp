// RequestQueue: requests that wait for an instance with room, first come, first served, up to a
// limit. Pure.
//
// Invariant: a request is in at most one queue, and is removed before it is destroyed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
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

  // What becomes of a visited request.
  enum class Verdict : uint8_t {
    kLeaves,  // it is removed
    kStays,
    kStop,  // it stays, and no further request is visited
  };

  // Calls `visit(request)` once for each request, in order, until it says kStop.
  template <class Visit>
  void ForEach(Visit visit) {
    for (auto it = requests_.begin(); it != requests_.end();) {
      const Verdict verdict = visit(**it);
      if (verdict == Verdict::kStop) return;
      it = verdict == Verdict::kLeaves ? requests_.erase(it) : std::next(it);
    }
  }

 private:
  size_t limit_;
  std::list<Request*> requests_;
};

}  // namespace meridian::dispatch
