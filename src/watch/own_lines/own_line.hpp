// What lines of Meridian's own log (base/log.hpp) say of themselves. Pure; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "watch/log/entry.hpp"

namespace meridian::watch {

// Whether the agent repeats in `line` what the application or a worker printed: the store has that
// from its pipe.
bool IsApplicationOutput(std::string_view line);

// The time at the front of a line of our log. Nothing: another line.
std::optional<LogTime> OwnLineTime(std::string_view line);

// Takes the members `process` and `dc` out of the fields of a line of our log, if they are at the
// front, as they are in every line of it, and the process is one of `processes`. The result: that
// process; empty: another line, whose fields are unchanged.
std::string TakeProcess(std::span<const std::string> processes, std::string* fields);

}  // namespace meridian::watch
