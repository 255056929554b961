// How long to wait before a child that ended is started again: at once the first time, then longer
// each time, and from the beginning after it has run well for a while. Pure; one per child.
#pragma once

#include <algorithm>

#include "base/clock.hpp"

namespace meridian::agent {

class Backoff {
 public:
  static constexpr Duration kFirst = std::chrono::milliseconds{100};
  static constexpr Duration kLongest = std::chrono::seconds{10};
  // A run of this length is taken for a good one.
  static constexpr Duration kGoodRun = std::chrono::seconds{10};

  // The child ended after `run`: the wait before the next start.
  Duration AfterRun(Duration run) {
    if (run >= kGoodRun) next_ = Duration::zero();
    Duration wait = next_;
    next_ = std::clamp(next_ * 2, kFirst, kLongest);
    return wait;
  }

 private:
  Duration next_ = Duration::zero();
};

}  // namespace meridian::agent
