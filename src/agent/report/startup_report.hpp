// How an agent tells whoever started it that its data center serves, or why it cannot, in one line:
// {"ready":true} or {"error":"…"} with a newline. Before it come lines that say what it waits for:
// {"waits_for":"…"}. A pure codec.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace meridian::agent {

// The agent's descriptor for it, when it has one.
constexpr int kReportFd = 4;
constexpr size_t kMaxStartupReportBytes = 64 * 1024;

// What is waited for, in all of a start, so that it fits in a pipe that nobody reads.
constexpr size_t kMaxWaitReports = 64;
constexpr size_t kMaxWaitReportBytes = 400;

// A longer text is cut.
std::string EncodeWaitReport(std::string_view waits_for);
// Nothing: the line is the outcome.
std::optional<std::string> DecodeWaitReport(std::string_view line);

std::string EncodeStartupReport(const Result<void>& outcome);
// `line` without its newline. The outcome that was reported; kInvalid for anything else.
Result<void> DecodeStartupReport(std::string_view line);

}  // namespace meridian::agent
