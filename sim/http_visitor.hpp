// A visitor of `sim http`: sends planned requests to a tier, one after the other, and checks every
// answer that looks whole. One thread.
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

// The deadline of a visitor's request.
inline constexpr Duration kVisitorTimeout = std::chrono::seconds{6};

struct VisitorTally {
  uint64_t answered = 0;  // whole answers with status 200
  uint64_t refused = 0;   // answers with another status
  uint64_t failed = 0;    // errors
};

// Sends one request and reads its answer within kVisitorTimeout. An answer that looks whole and is
// wrong fails the world.
io::Task<void> Visit(io::sim::World& world, io::sim::Machine& machine, http::Client& client,
                     Plan& plan, VisitorTally& tally);

}  // namespace meridian::sim
