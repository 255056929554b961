// The lab's limits.
#pragma once

#include <chrono>

#include "base/clock.hpp"

namespace meridian::lab {

// From the start of a data center to its report, beyond what its own time-outs allow.
constexpr Duration kLongestStart = std::chrono::minutes{15};
// Of a guard to end its data center at once, before the lab does it.
constexpr Duration kLongestKill = std::chrono::seconds{2};
constexpr Duration kOrphanPatience = std::chrono::seconds{5};
// How long whoever asks the lab for something waits for it: for what is done at once, for the loss
// of a data center, for its start.
constexpr Duration kLongestShortCommand = std::chrono::seconds{10};
constexpr Duration kLongestKillCommand = std::chrono::seconds{30};
constexpr Duration kLongestStartCommand = kLongestStart + kLongestKillCommand;
// For answers that are on their way when everything has ended.
constexpr Duration kCommandGrace = std::chrono::seconds{1};
// Of the lab, to end what it may have left behind itself.
constexpr Duration kLastKillPatience = std::chrono::seconds{10};
// Of a request to the lab, which carries no body.
constexpr size_t kLongestCommandBody = 1024;

}  // namespace meridian::lab
