// The balancer's limits.
#pragma once

#include <chrono>
#include <cstddef>

#include "base/clock.hpp"

namespace meridian::balancer {

constexpr size_t kMaxConnections = 20'000;  // edges' and peers'
// Size and number of the fields that edges add to a visitor's head (Via, X-Forwarded-*), so that a
// head that the edge accepts is accepted here.
constexpr size_t kMaxEdgeHeadBytes = 16 * 1024;
constexpr size_t kMaxEdgeFields = 8;
// Added to the edge's timeout for a slow visitor's body, so that the edge answers 408 first and
// closes the visitor's connection.
constexpr Duration kBodyGrace = std::chrono::seconds{5};

}  // namespace meridian::balancer
