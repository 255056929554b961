// LogInterval: limits the log lines about an event that anyone on the network can cause: one for
// the first, then at most one in each interval. Pure; one thread.
#pragma once

#include <cstdint>
#include <utility>

#include "base/clock.hpp"

namespace meridian::session {

class LogInterval {
 public:
  explicit LogInterval(Duration interval) : interval_(interval) {}

  // The number of events since the last line, this one included; 0: no line now.
  uint64_t Count(TimePoint now) {
    ++unlogged_;
    if (now < next_) return 0;
    next_ = SaturatingAdd(now, interval_);
    return std::exchange(unlogged_, 0);
  }

 private:
  Duration interval_;
  TimePoint next_ = TimePoint::min();
  uint64_t unlogged_ = 0;
};

}  // namespace meridian::session
