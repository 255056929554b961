// Simulation: runs a simulated site from one seed and reports whether every promise held. Any
// thread; the same seed gives the same outcome.
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
  std::optional<std::string> broken;  // the broken promise and its time
  uint64_t trace_hash = 0;
  std::string trace;  // empty unless kept
};

struct Simulation {
  std::string_view name;
  std::string_view what;  // description in one line
  Outcome (*run)(uint64_t seed, io::sim::TraceMode trace);
};

// The outcome of a finished run.
inline Outcome OutcomeOf(io::sim::World& world) {
  return {world.failure(), world.trace().hash(), world.trace().text()};
}

// All simulations.
std::span<const Simulation> Simulations();

Outcome SimulateHttp(uint64_t seed, io::sim::TraceMode trace);
Outcome SimulateDns(uint64_t seed, io::sim::TraceMode trace);
Outcome SimulateStore(uint64_t seed, io::sim::TraceMode trace);
Outcome SimulateSession(uint64_t seed, io::sim::TraceMode trace);
Outcome SimulateQueue(uint64_t seed, io::sim::TraceMode trace);
Outcome SimulateCoordinator(uint64_t seed, io::sim::TraceMode trace);
Outcome SimulateQueueMirrors(uint64_t seed, io::sim::TraceMode trace);

}  // namespace meridian::sim
