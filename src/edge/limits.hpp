// The edge's limits.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::edge {

// To the balancer of one data center.
constexpr size_t kMaxUpstreamConnections = 4096;
constexpr size_t kMaxWaitingRequests = 4096;
constexpr Duration kWaitTimeout = std::chrono::seconds{5};
constexpr Duration kConnectTimeout = std::chrono::seconds{2};
constexpr Duration kLoadInterval = std::chrono::seconds{1};
// In a 503: when to come back.
constexpr uint32_t kRetryAfterSeconds = 1;

}  // namespace meridian::edge
