// Decides how long `meridian dc drain NAME --wait` waits, by what the data center's agent answers
// when it is polled. Pure.
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace meridian::cli {

// The whole wait.
constexpr Duration kMaxDrainWait = std::chrono::minutes{10};
// For how long polls may fail in a row: an agent that is restarted answers again within that.
constexpr Duration kMaxPollOutage = std::chrono::seconds{10};

class DrainWait {
 public:
  struct Options {
    std::string name;          // the data center's
    Duration answer_ttl = {};  // of its DNS answers
    Duration grace = {};       // beyond answer_ttl, for resolvers that are late
  };
  enum class Outcome { kWaits, kDrained, kFailed };
  struct Step {
    Outcome outcome;
    std::string
        text;  // what is waited for, what has been reached, or what is wrong and what mends it
  };

  explicit DrainWait(Options options) : options_(std::move(options)) {}

  // `state`: the name of the data center's state, or why it could not be learnt. `waited`: since
  // the drain was ordered.
  Step OnPoll(const Result<std::string>& state, Duration waited);

 private:
  std::string WhyNotDrained() const;

  Options options_;
  Duration answered_{};  // when the last poll had an answer, since the drain was ordered
};

}  // namespace meridian::cli
