// simulate NAME --seeds N [--seed S] [--trace]: runs seeded simulations of parts of a site. For a
// failure it prints the seed, the broken promise and the command that reproduces it.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "cli/command/command.hpp"
#include "io/sim/trace.hpp"
#include "sim/runner.hpp"
#include "sim/simulation.hpp"

namespace meridian::sim {
namespace {

constexpr int kHeld = 0;
constexpr int kBroken = 1;
constexpr int kHelpColumn = 30;

struct Arguments {
  std::string name;
  uint64_t seeds = 1000;
  uint64_t seed = 1;
  int seconds = 0;  // 0: no limit
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
  if (arguments.seconds > 0) options.max_duration = std::chrono::seconds{arguments.seconds};
  RunReport report = RunSeeds(simulation, options);
  fmt::print("{}: {} seeds in {:.1f} s, {:.0f} a second\n", simulation.name, report.seeds,
             Seconds(report.took), static_cast<double>(report.seeds) / Seconds(report.took));
  if (!report.failed_seed) return kHeld;
  fmt::print("{}: seed {}: {}\nreproduce, with a trace: ./dev sim {} --seed {} --trace\n",
             simulation.name, *report.failed_seed, report.broken, simulation.name,
             *report.failed_seed);
  return kBroken;
}

int Run(const Arguments& arguments, const std::string& names) {
  // The programs' logs about injected faults are not of interest here.
  ConfigureLog({.min_level = LogLevel::kOff, .process = "simulate"});
  for (const Simulation& simulation : Simulations()) {
    if (simulation.name != arguments.name) continue;
    return arguments.trace ? ShowTrace(simulation, arguments) : RunMany(simulation, arguments);
  }
  fmt::print(stderr, "simulate: there is no simulation \"{}\"; choose one of:\n{}", arguments.name,
             names);
  return cli::kMisused;
}

int Main(int argc, char** argv) {
  cli::Command program("simulate", "Runs seeded simulations of parts of a site, with faults.");
  Arguments arguments;
  program.AddOption({.name = "name",
                     .value = &arguments.name,
                     .help = "Name of the simulation.",
                     .required = true});
  program.AddOption(
      {.name = "--seeds", .value = &arguments.seeds, .help = "Number of seeds (1000)."});
  program.AddOption({.name = "--seed", .value = &arguments.seed, .help = "First seed (1)."});
  program.AddOption({.name = "--seconds",
                     .value = &arguments.seconds,
                     .help = "Start no seed after this many seconds."});
  program.AddOption({.name = "--trace",
                     .value = &arguments.trace,
                     .help = "Run one seed and print every event."});
  for (const Simulation& simulation : Simulations()) {
    program.footer += fmt::format("{}: {}\n", simulation.name, simulation.what);
  }
  program.action = [&] { return Run(arguments, program.footer); };
  return cli::RunCommandLine(program, kHelpColumn, argc, argv);
}

}  // namespace
}  // namespace meridian::sim

int main(int argc, char** argv) { return meridian::sim::Main(argc, argv); }
