// A visitor of `sim http`: sends planned requests through the balancer, one after the other, and
// checks every answer that looks whole. One thread.
#pragma once

#include <cstdint>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "http/client/client.hpp"
#include "io/sim/process.hpp"
#include "io/sim/world.hpp"
#include "io/task.hpp"
#include "sim/http_plan.hpp"

namespace meridian::sim {

// How long a visitor waits for an answer.
inline constexpr Duration kVisitorTimeout = std::chrono::seconds{6};

struct VisitorTally {
  uint64_t answered = 0;  // 200, whole
  uint64_t refused = 0;   // another status
  uint64_t failed = 0;    // an error
};

// Sends one request and reads its answer, within the patience. What is whole and wrong fails the
// world.
io::Task<void> Visit(io::sim::World& world, io::sim::Machine& machine, http::Client& client,
                     Plan& plan, VisitorTally& tally);

}  // namespace meridian::sim
