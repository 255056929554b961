// The times that lines of logs have. Pure; any thread.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "watch/log/entry.hpp"

namespace meridian::watch {

// The time at the front of `text`, after `[` if there is one:
//   2026-11-21T01:22:18.123456Z      also with a space for the T, a comma for the point, an offset
//   2026-11-21 01:22:18,123 +0100    as +01:00 or +0100, no fraction, no offset (taken for UTC)
//   2026/11/21 01:22:18              Go, nginx
// Digits past microseconds are dropped. Nothing: no such time, or one that does not exist.
std::optional<LogTime> ParseLineTime(std::string_view text);

// A number of seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by its
// size. Nothing: before 1973 in that unit, or after the year 2286.
std::optional<LogTime> TimeOfNumber(double number);

// Whether a line that arrived at `arrival` may have been written at `time`; see kMaxTimeBehind.
bool IsBelieved(LogTime time, LogTime arrival);

}  // namespace meridian::watch
