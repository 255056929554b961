// Entries of the log as `meridian logs` prints them. Pure; any thread.
#pragma once

#include <string>

#include "watch/log/entry.hpp"

namespace meridian::cli {

// "2026-11-30T10:00:00.123Z us-east app/us-east-1 error    text {fields}", with a newline. The
// second and further lines of a text are indented. `colours`: for a terminal.
std::string LogLineText(const watch::LogEntry& entry, bool colours);

// The entry as a JSON object on one line, with a newline; what is empty is left out.
std::string LogLineJson(const watch::LogEntry& entry);

}  // namespace meridian::cli
