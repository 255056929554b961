// The limits of `meridian logs`.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::cli {

// Lines that are shown at once. They are held until all are known, because the newest are asked for
// first: past so many bytes no further ones are asked for.
constexpr uint64_t kShownLogLines = 200;
constexpr uint64_t kFollowedLogLines = 10;  // before the first new one
constexpr uint64_t kMaxShownLogLines = 10'000;
constexpr size_t kMaxHeldLogBytes = size_t{64} * 1024 * 1024;
// Of one page.
constexpr size_t kLogPageLines = 500;
// For an agent's answer: its watch tier searches for at most 10 s.
constexpr Duration kLogSearchWait = std::chrono::seconds{15};
// A follower's request waits for new lines for at most 10 s, and may search so long then.
constexpr Duration kLogFollowWait = std::chrono::seconds{25};
// Between two requests of a follower, so that a flood of lines costs no flood of requests; and
// before a data center that did not answer is asked again.
constexpr Duration kLogFollowPause = std::chrono::milliseconds{200};
constexpr Duration kLogRetryPause = std::chrono::seconds{1};

}  // namespace meridian::cli
