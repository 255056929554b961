// Decides which instance of the application to replace because it has been unhealthy for too long,
// and when. Does no I/O and reads no clock: its inputs are the instances' states and the time.
//
// While another instance here is healthy, an unhealthy instance is itself at fault: it is replaced
// after `timeout`. If none is healthy, the cause is probably shared (a database that is down). A
// restart does not help then, and after restarting all of them only cold instances would be left
// when the database returns. But all may also hang in the same way, so it replaces one instance,
// then another after twice the wait, and so on up to kMaxReplacementWait. As soon as an instance is
// healthy, the wait is `timeout` again.
//
// Invariants: the time between two replacements is at least `timeout`. If an instance becomes
// unhealthy again soon after its replacement, its next wait is twice as long.
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

  // Returns the index in `states` of the instance to replace now, or nothing. A returned instance
  // counts as replaced: the caller must replace it. `states` has every instance of the data center,
  // in the same order in each call.
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
  std::optional<TimePoint> replaced_at_;  // the last replacement of any instance
};

}  // namespace meridian::agent
