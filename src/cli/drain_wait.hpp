// Decides how long `meridian dc drain NAME --wait` waits, from the answers of polls of the data
// center's agent. Pure.
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace meridian::cli {

// The maximum wait in all.
constexpr Duration kMaxDrainWait = std::chrono::minutes{10};
// The maximum time of failing polls; a restarted agent answers again within it.
constexpr Duration kMaxPollOutage = std::chrono::seconds{10};

class DrainWait {
 public:
  struct Options {
    std::string name;          // the data center's
    Duration answer_ttl = {};  // of its DNS answers
    Duration grace = {};       // added to answer_ttl, for late resolvers
  };
  enum class Outcome { kWaits, kDrained, kFailed };
  struct Step {
    Outcome outcome;
    std::string text;  // a description of the wait, the result, or the error and what to do
  };

  explicit DrainWait(Options options) : options_(std::move(options)) {}

  // `state`: the name of the data center's state, or the error of the poll. `waited`: since the
  // drain was ordered.
  Step OnPoll(const Result<std::string>& state, Duration waited);

 private:
  std::string WhyNotDrained() const;

  Options options_;
  Duration answered_{};  // time of the last answered poll, since the drain was ordered
};

}  // namespace meridian::cli
