// The line in which requests wait for an instance that has room: first come, first served, and no
// longer than its limit. Pure: who is served is told by calling Take, who gives up calls Leave.
//
// Invariant: a ticket is in at most one line, and out of it before it goes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <list>

#include "base/check.hpp"

namespace meridian::dispatch {

template <class Ticket>
class WaitingLine {
 public:
  explicit WaitingLine(size_t limit) : limit_(limit) {}
  WaitingLine(const WaitingLine&) = delete;
  WaitingLine& operator=(const WaitingLine&) = delete;
  ~WaitingLine() { CHECK(tickets_.empty()); }

  bool empty() const { return tickets_.empty(); }
  size_t size() const { return tickets_.size(); }

  // At the end of the line; false when that is full.
  bool Join(Ticket& ticket) {
    if (tickets_.size() >= limit_) return false;
    tickets_.push_back(&ticket);
    return true;
  }

  // Those that time out are at the front.
  void Leave(Ticket& ticket) {
    auto at = std::ranges::find(tickets_, &ticket);
    CHECK(at != tickets_.end());
    tickets_.erase(at);
  }

  // Takes the first out that `can_be_served(ticket)`; null when there is none.
  template <class Predicate>
  Ticket* Take(Predicate can_be_served) {
    for (auto it = tickets_.begin(); it != tickets_.end(); ++it) {
      if (!can_be_served(**it)) continue;
      Ticket* first = *it;
      tickets_.erase(it);
      return first;
    }
    return nullptr;
  }

 private:
  size_t limit_;
  std::list<Ticket*> tickets_;
};

}  // namespace meridian::dispatch
