#include "sim/runner.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "io/sim/trace.hpp"
#include "sim/simulation.hpp"

namespace meridian::sim {
namespace {

class Runner {
 public:
  Runner(const Simulation& simulation, const RunOptions& options)
      : simulation_(simulation), options_(options), begun_(clock_.Now()) {}

  RunReport Run() {
    {
      std::vector<std::jthread> threads;
      for (unsigned i = 0; i < options_.threads; ++i) threads.emplace_back([this] { Work(); });
    }
    report_.took = clock_.Now() - begun_;
    return report_;
  }

 private:
  void Work() {
    do {
      uint64_t index = next_.fetch_add(1);
      if (index >= options_.seeds) return;
      uint64_t seed = options_.first_seed + index;
      Outcome outcome = simulation_.run(seed, io::sim::TraceMode::kHashOnly);
      Note(seed, std::move(outcome));
    } while (!failed_.load() && clock_.Now() - begun_ < options_.max_duration);
  }

  void Note(uint64_t seed, Outcome outcome) {
    std::lock_guard lock(mutex_);
    ++report_.seeds;
    if (!outcome.broken) return;
    failed_ = true;
    if (report_.failed_seed && *report_.failed_seed < seed) return;
    report_.failed_seed = seed;
    report_.broken = *std::move(outcome.broken);
  }

  const Simulation& simulation_;
  const RunOptions& options_;
  SystemClock clock_;
  TimePoint begun_;
  std::atomic<uint64_t> next_ = 0;
  std::atomic<bool> failed_ = false;
  std::mutex mutex_;
  RunReport report_;
};

}  // namespace

RunReport RunSeeds(const Simulation& simulation, const RunOptions& options) {
  return Runner(simulation, options).Run();
}

}  // namespace meridian::sim
