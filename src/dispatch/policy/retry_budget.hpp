// RetryBudget: limits retries to a share of the requests of the last ten seconds. Retries help
// while few requests fail; without a limit they would multiply the load when all fail (Google's
// "Site Reliability Engineering", chapter 21). Pure.
//
// Invariants: in any ten seconds at most max(share * requests, kFloor) retries. The floor allows
// retries at a low request rate. It is not added to the share: once the share exceeds it, the load
// is at most (1 + share) times the offered load. A share of 0 allows no retry.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.hpp"
#include "dispatch/policy/recent_count.hpp"

namespace meridian::dispatch {

class RetryBudget {
 public:
  static constexpr double kFloor = 10;

  explicit RetryBudget(double share) : share_(share) {}

  void OnRequests(uint64_t requests, TimePoint now) { requests_.Add(now, requests); }

  // True: the request may be sent again, and the retry is counted.
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
