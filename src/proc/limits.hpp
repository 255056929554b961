// Limits of supervised child processes. The waits between starts are in Backoff.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::proc {

// The time that processes left behind by a child have to die of SIGKILL.
constexpr Duration kLeftBehindTimeout = std::chrono::seconds{5};

// A child that ended this many times in a row, each soon after its start, is in a crash loop.
constexpr uint32_t kCrashLoop = 3;

// A longer line of a child's output is split into pieces of this size.
constexpr size_t kMaxCapturedLine = 4096;

// A user in more groups than this is refused.
constexpr int kMaxUserGroups = 256;

}  // namespace meridian::proc
