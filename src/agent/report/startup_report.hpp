// The startup report, which an agent sends to the process that started it: a line {"ready":true}
// when its data center serves, or {"error":"…"}. Lines {"waits_for":"…"} before it name what the
// start waits for. A pure codec.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace meridian::agent {

// The agent's descriptor for the report, if there is one.
constexpr int kReportFd = 4;
constexpr size_t kMaxStartupReportBytes = 64 * 1024;

// Limits of the wait reports of a start, so that all of them fit in a pipe without a reader.
constexpr size_t kMaxWaitReports = 64;
constexpr size_t kMaxWaitReportBytes = 400;

// A longer text is cut.
std::string EncodeWaitReport(std::string_view waits_for);
// Nothing: the line is not a wait report.
std::optional<std::string> DecodeWaitReport(std::string_view line);

std::string EncodeStartupReport(const Result<void>& outcome);
// `line` without its newline. Returns the reported outcome; kInvalid for any other line.
Result<void> DecodeStartupReport(std::string_view line);

}  // namespace meridian::agent
