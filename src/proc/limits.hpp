// Limits of supervised child processes; the times between starts are Backoff's.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::proc {

// How long processes that a child left behind may take to die of SIGKILL.
constexpr Duration kLeftBehindTimeout = std::chrono::seconds{5};

// A child that has ended this often in a row, each time soon after its start, is in a crash loop.
constexpr uint32_t kCrashLoop = 3;

// A longer line of a child's output is delivered in pieces of this size.
constexpr size_t kMaxCapturedLine = 4096;

// Of a user: more groups are refused.
constexpr int kMaxUserGroups = 256;

}  // namespace meridian::proc
