// The one line in which an agent tells whoever started it that its data center serves, or why it
// cannot:
// {"ready":true} or {"error":"…"} with a newline. A pure codec.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace meridian::agent {

// The agent's descriptor for it, when it has one.
constexpr int kReportFd = 4;
constexpr size_t kLongestStartupReport = 64 * 1024;

std::string EncodeStartupReport(const Result<void>& outcome);
// `line` without its newline. The outcome that was reported; kInvalid for anything else.
Result<void> DecodeStartupReport(std::string_view line);

}  // namespace meridian::agent
