// The balancer's limits.
#pragma once

#include <chrono>
#include <cstddef>

#include "base/clock.hpp"

namespace meridian::balancer {

constexpr size_t kMaxConnections = 20'000;  // edges' and peers'
// What edges add to a visitor's head (Via, X-Forwarded-*), beyond what they take from visitors
// themselves: a head that passes the edge passes here.
constexpr size_t kMaxEdgeHeadBytes = 16 * 1024;
constexpr size_t kMaxEdgeFields = 8;
// How much longer than an edge we wait for a slow visitor's body: it is the edge that says 408, and
// closes the visitor's connection with it.
constexpr Duration kBodyGrace = std::chrono::seconds{5};

}  // namespace meridian::balancer
