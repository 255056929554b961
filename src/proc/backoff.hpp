// Backoff: the wait before a child that ended is restarted. The first restart comes at once, each
// further restart after a longer wait; a long run resets the wait. Pure; one object per child.
#pragma once

#include <algorithm>

#include "base/clock.hpp"

namespace meridian::proc {

class Backoff {
 public:
  static constexpr Duration kFirstWait = std::chrono::milliseconds{100};
  static constexpr Duration kMaxWait = std::chrono::seconds{10};
  // A run of this length resets the wait to none.
  static constexpr Duration kGoodRun = std::chrono::seconds{10};

  // The wait before the next start of a child that ended after `run`.
  Duration AfterRun(Duration run) {
    if (run >= kGoodRun) next_ = Duration::zero();
    Duration wait = next_;
    next_ = std::clamp(next_ * 2, kFirstWait, kMaxWait);
    return wait;
  }

 private:
  Duration next_ = Duration::zero();
};

}  // namespace meridian::proc
