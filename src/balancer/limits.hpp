// The balancer's limits.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::balancer {

constexpr size_t kMaxConnections = 20'000;  // edges' and peers'
constexpr size_t kMaxHealthBody = 64 * 1024;
// What edges add to a visitor's head (Via, X-Forwarded-*), beyond what they take from visitors
// themselves: a head that passes the edge passes here.
constexpr size_t kMaxEdgeHeadBytes = 16 * 1024;
constexpr size_t kMaxEdgeFields = 8;
// How much longer than an edge we wait for a slow visitor's body: it is the edge that says 408, and
// closes the visitor's connection with it.
constexpr Duration kBodyGrace = std::chrono::seconds{5};
constexpr size_t kMostRetries = 10;  // of one request, however site.toml is written
constexpr size_t kMaxConnectionsPerInstance = 16 * 1024;
constexpr Duration kConnectTimeout = std::chrono::seconds{2};
// In a 503: when to come back.
constexpr uint32_t kRetryAfterSeconds = 1;

}  // namespace meridian::balancer
