#include "cli/drain_wait.hpp"

#include <string>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "site/view/view.hpp"

namespace meridian::cli {

using site::DataCenterState;
using site::StateName;

DrainWait::Step DrainWait::OnPoll(const Result<std::string>& state, Duration waited) {
  const std::string& name = options_.name;
  if (state) answered_ = waited;
  if (state && *state == StateName(DataCenterState::kDrained)) {
    return {Outcome::kDrained, name + " is drained"};
  }
  if (state && *state == StateName(DataCenterState::kServing)) {
    return {Outcome::kFailed, fmt::format("{0} serves visitors again: the drain was taken back "
                                          "(meridian dc undrain). To drain it: meridian dc drain "
                                          "{0} --wait",
                                          name)};
  }
  if (!state && waited - answered_ >= kMaxPollOutage) {
    return {Outcome::kFailed,
            fmt::format("{0}: its agent has not answered for {1:.0f} s ({2}). The drain goes on "
                        "where it runs, and after its restart. See: meridian status; wait again: "
                        "meridian dc drain {0} --wait",
                        name, Seconds(waited - answered_), state.error().message)};
  }
  if (waited >= kMaxDrainWait) return {Outcome::kFailed, WhyNotDrained()};
  if (!state) {
    return {Outcome::kWaits, fmt::format("{}: its agent does not answer ({}); it is asked again",
                                         name, state.error().message)};
  }
  if (*state != StateName(DataCenterState::kDraining)) {
    return {Outcome::kWaits, fmt::format("{} is {}; it drains when it could serve", name, *state)};
  }
  return {Outcome::kWaits,
          fmt::format("{} is draining: no new connection may come for {:.0f} s (DNS answers that "
                      "name it live for {:.0f} s)",
                      name, Seconds(options_.answer_ttl + options_.grace),
                      Seconds(options_.answer_ttl))};
}

std::string DrainWait::WhyNotDrained() const {
  Duration quiet = options_.answer_ttl + options_.grace;
  std::string cause =
      quiet >= kMaxDrainWait
          ? fmt::format(
                "a drain takes at least {:.0f} s, as DNS answers live for {:.0f} s: lower "
                "ttl of [dns] before the next drain",
                Seconds(quiet), Seconds(options_.answer_ttl))
          : fmt::format(
                "new connections still come to its edge, less than {:.0f} s apart, from "
                "clients that keep DNS answers too long or call its address: stop them "
                "(meridian status shows other problems)",
                Seconds(quiet));
  return fmt::format(
      "{0} is not drained after {1:.0f} s: {2}. It is still draining. Wait again: "
      "meridian dc drain {0} --wait; end the drain: meridian dc undrain {0}",
      options_.name, Seconds(kMaxDrainWait), cause);
}

}  // namespace meridian::cli
