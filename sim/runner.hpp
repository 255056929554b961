// Runs many seeds of one simulation on several threads, and reports the lowest seed that failed.
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
      Duration::max();  // no seed starts after this; each thread runs at least one
  unsigned threads = 1;
};

struct RunReport {
  uint64_t seeds = 0;  // number of seeds that were run
  Duration took{};     // real time
  // The lowest seed that failed, and its failure. After a failure no higher seed is started.
  std::optional<uint64_t> failed_seed;
  std::string broken;
};

RunReport RunSeeds(const Simulation& simulation, const RunOptions& options);

}  // namespace meridian::sim
