// A simulation: one seed in, one run of a simulated site out, and whether every promise held. Pure
// but for the memory it takes: any thread, and the same seed gives the same outcome.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "io/sim/trace.hpp"
#include "io/sim/world.hpp"

namespace meridian::sim {

struct Outcome {
  std::optional<std::string> broken;  // which promise, and when
  uint64_t trace_hash = 0;
  std::string trace;  // empty unless kept
};

struct Simulation {
  std::string_view name;
  std::string_view what;  // one line, for people
  Outcome (*run)(uint64_t seed, io::sim::TraceMode trace);
};

// What a run came to in the end.
inline Outcome OutcomeOf(io::sim::World& world) {
  return {world.failure(), world.trace().hash(), world.trace().text()};
}

// All there are.
std::span<const Simulation> Simulations();

Outcome SimulateHttp(uint64_t seed, io::sim::TraceMode trace);
Outcome SimulateDns(uint64_t seed, io::sim::TraceMode trace);
Outcome SimulateStore(uint64_t seed, io::sim::TraceMode trace);
Outcome SimulateSession(uint64_t seed, io::sim::TraceMode trace);

}  // namespace meridian::sim
