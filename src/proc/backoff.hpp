// Backoff: how long to wait before a child that ended is started again. No wait the first time,
// then longer each time; after a long run it begins anew. Pure; one for each child.
#pragma once

#include <algorithm>

#include "base/clock.hpp"

namespace meridian::proc {

class Backoff {
 public:
  static constexpr Duration kFirstWait = std::chrono::milliseconds{100};
  static constexpr Duration kMaxWait = std::chrono::seconds{10};
  // After a run of this length the next wait is none again.
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
