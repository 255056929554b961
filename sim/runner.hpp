// Runs many seeds of one simulation on several threads, and says which of them failed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "sim/simulation.hpp"

namespace meridian::sim {

struct RunOptions {
  uint64_t first_seed = 1;
  uint64_t seeds = 1;
  Duration max_duration =
      Duration::max();  // no seed is begun later; at least one on each thread is
  unsigned threads = 1;
};

struct RunReport {
  uint64_t seeds = 0;  // that were run
  Duration took{};     // by the machine's clock
  // The least seed that failed, and what broke in it. After a failure no higher seed is begun.
  std::optional<uint64_t> failed_seed;
  std::string broken;
};

RunReport RunSeeds(const Simulation& simulation, const RunOptions& options);

}  // namespace meridian::sim
