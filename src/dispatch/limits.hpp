// The dispatcher's limits.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::dispatch {

constexpr size_t kMaxHealthBody = 64 * 1024;
constexpr size_t kMaxRetries = 10;  // of one request, however site.toml is written
constexpr size_t kMaxQueued = 20'000;
constexpr size_t kMaxConnectionsPerInstance = 16 * 1024;
constexpr Duration kConnectTimeout = std::chrono::seconds{2};
// In a 503: when to come back.
constexpr uint32_t kRetryAfterSeconds = 1;

}  // namespace meridian::dispatch
