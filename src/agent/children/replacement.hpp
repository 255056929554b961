// Which instance of the application is replaced because it has been unhealthy for too long, and
// when. Pure: told the instances' states and the time.
//
// Decision. While some instance here is healthy, the fault is the unhealthy instance's own: it is
// replaced after `timeout`. When none is healthy, the cause is probably shared (a database that is
// down), which no restart cures, and restarting all of them would greet its return with cold
// instances only. But all may also hang in the same way, so one is tried: then another after twice
// as long, and so on up to kMaxReplacementWait.
//
// Invariants: two replacements are never closer than `timeout`. An instance that turns unhealthy
// again soon after it was replaced waits twice as long for the next time.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.hpp"
#include "site/view/view.hpp"

namespace meridian::agent {

class Replacement {
 public:
  explicit Replacement(Duration timeout) : timeout_(timeout), wait_if_none_healthy_(timeout) {}

  // The index of the instance that is to be replaced now, if any.
  std::optional<size_t> Choose(std::span<const site::InstanceState> states, TimePoint now);

 private:
  struct Watched {
    std::optional<TimePoint> unhealthy_since;
    std::optional<TimePoint> healthy_since;
    Duration wait;
  };
  void Observe(Watched& watched, site::InstanceState state, TimePoint now) const;
  static Duration Doubled(Duration wait);

  Duration timeout_;
  Duration wait_if_none_healthy_;
  std::vector<Watched> watched_;
  TimePoint not_before_ = TimePoint::min();
};

}  // namespace meridian::agent
