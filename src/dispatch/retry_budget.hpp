// How many requests may be sent again: a share of those that came in the last ten seconds, so that
// retries, which help while few requests fail, do not multiply the load when all do (Google's "Site
// Reliability Engineering", chapter 21: retry budgets). Pure.
//
// Invariants: in any ten seconds at most max(share * requests, kFloor) retries. The floor is there
// so that a rare request may be tried again too; it is not added to the share, so that once the
// share exceeds it the load is at most 1 + share times what is offered. A share of 0 allows none.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.hpp"
#include "dispatch/recent_count.hpp"

namespace meridian::dispatch {

class RetryBudget {
 public:
  static constexpr double kFloor = 10;

  explicit RetryBudget(double share) : share_(share) {}

  void OnRequest(TimePoint now) { requests_.Add(now); }

  // True: one may be sent again, and is counted.
  bool Take(TimePoint now) {
    if (share_ <= 0) return false;
    double allowed = std::max(share_ * static_cast<double>(requests_.At(now)), kFloor);
    if (static_cast<double>(retries_.At(now) + 1) > allowed) return false;
    retries_.Add(now);
    return true;
  }

 private:
  double share_;
  RecentCount requests_;
  RecentCount retries_;
};

}  // namespace meridian::dispatch
