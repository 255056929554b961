// simulate NAME --seeds N [--seed S] [--trace]: runs seeded simulations of parts of a site. A
// failure prints its seed, the promise that broke and the command that shows it again.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "io/sim/trace.hpp"
#include "sim/runner.hpp"
#include "sim/simulation.hpp"

namespace meridian::sim {
namespace {

constexpr int kHeld = 0;
constexpr int kBroken = 1;
constexpr int kMisused = 2;

struct Arguments {
  std::string name;
  uint64_t seeds = 1000;
  uint64_t seed = 1;
  int seconds = 0;  // 0: however long it takes
  bool trace = false;
};

int ShowTrace(const Simulation& simulation, const Arguments& arguments) {
  Outcome outcome = simulation.run(arguments.seed, io::sim::TraceMode::kText);
  fmt::print("{}trace hash {:016x}\n", outcome.trace, outcome.trace_hash);
  if (outcome.broken)
    fmt::print("{}: seed {}: {}\n", simulation.name, arguments.seed, *outcome.broken);
  return outcome.broken ? kBroken : kHeld;
}

int RunMany(const Simulation& simulation, const Arguments& arguments) {
  RunOptions options{.first_seed = arguments.seed,
                     .seeds = arguments.seeds,
                     .threads = std::max(1U, std::thread::hardware_concurrency())};
  if (arguments.seconds > 0) options.most = std::chrono::seconds{arguments.seconds};
  RunReport report = RunSeeds(simulation, options);
  fmt::print("{}: {} seeds in {:.1f} s, {:.0f} a second\n", simulation.name, report.seeds,
             Seconds(report.took), static_cast<double>(report.seeds) / Seconds(report.took));
  if (!report.failed_seed) return kHeld;
  fmt::print("{}: seed {}: {}\nagain, with what happened: ./dev sim {} --seed {} --trace\n",
             simulation.name, *report.failed_seed, report.broken, simulation.name,
             *report.failed_seed);
  return kBroken;
}

int Main(int argc, char** argv) {
  CLI::App app("Runs seeded simulations of parts of a site, with faults.", "simulate");
  Arguments arguments;
  app.add_option("name", arguments.name, "Which one.")->required();
  app.add_option("--seeds", arguments.seeds, "How many seeds (1000).");
  app.add_option("--seed", arguments.seed, "The first of them (1).");
  app.add_option("--seconds", arguments.seconds, "Begin no seed after so long.");
  app.add_flag("--trace", arguments.trace, "Run one seed and print all that happens.");
  std::string names;
  for (const Simulation& simulation : Simulations()) {
    names += fmt::format("{}: {}\n", simulation.name, simulation.what);
  }
  app.footer(names);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kHeld : kMisused;
  }
  // What programs log about the faults they meet is not the news here.
  ConfigureLog({.least = LogLevel::kNothing, .process = "simulate"});
  for (const Simulation& simulation : Simulations()) {
    if (simulation.name != arguments.name) continue;
    return arguments.trace ? ShowTrace(simulation, arguments) : RunMany(simulation, arguments);
  }
  fmt::print(stderr, "simulate: there is no \"{}\". There are:\n{}", arguments.name, names);
  return kMisused;
}

}  // namespace
}  // namespace meridian::sim

int main(int argc, char** argv) { return meridian::sim::Main(argc, argv); }
