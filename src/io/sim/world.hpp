// World: a site in one thread, with simulated clock, network and disks. It owns virtual time and
// one queue of events, runs processes that have work in an order drawn by the seed, and jumps to
// the next event or timer when none has work. The same seed gives the same run, byte for byte:
// nothing here depends on real time, addresses or threads.
//
//   World world(seed);
//   SimProcess& server = world.AddProcess({.name = "server", .address = kServer}, Serve);
//   world.After(seconds{3}, [&] { server.Crash(CrashKind::kMachine); });
//   world.RunFor(seconds{30});
//   if (world.failure()) ...
//
// Owned by a simulation; one thread; worlds on different threads are independent. Invariants:
// events run outside of every process's loop iteration. After a failure is recorded, nothing more
// runs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "io/sim/event_queue.hpp"
#include "io/sim/fabric.hpp"
#include "io/sim/process.hpp"
#include "io/sim/trace.hpp"

namespace meridian::io::sim {

class World {
 public:
  explicit World(uint64_t seed, TraceMode trace = TraceMode::kHashOnly);
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  // Cancels running processes and runs them to their end, without effect on each other.
  ~World();

  uint64_t seed() const { return seed_; }
  TimePoint now() const { return now_; }
  Duration elapsed() const { return now_ - kStart; }
  Random& random() { return random_; }
  Trace& trace() { return trace_; }
  Fabric& fabric() { return fabric_; }

  // Starts `main` as a new process, which lives as long as the world.
  SimProcess& AddProcess(SimProcessOptions options, Main main);
  const std::vector<std::unique_ptr<SimProcess>>& processes() const { return processes_; }

  void At(TimePoint when, Action action) { events_.Add(when, std::move(action)); }
  void After(Duration delay, Action action) { events_.Add(now_ + delay, std::move(action)); }

  // Adds an event to the trace.
  void Record(std::string_view process, std::string_view what, uint64_t a = 0, uint64_t b = 0) {
    trace_.Record(elapsed(), process, what, a, b);
  }

  // Records that a promise was broken, and ends the run. Only the first failure is kept.
  void Fail(std::string why);
  const std::optional<std::string>& failure() const { return failure_; }

  // Advances time.
  void RunFor(Duration duration) { RunUntil(now_ + duration); }
  void RunUntil(TimePoint when);
  // Runs until every process with `must_end` has ended. Fails, naming a process that runs, when no
  // event is left that could wake it, or at `limit`.
  void RunToEnd(TimePoint limit);
  // Ends every process; call it before objects that their mains refer to are destroyed. The
  // destructor calls it too.
  void End();
  // Whether a loop iteration of some process is in progress.
  bool in_iteration() const { return in_iteration_; }

 private:
  static constexpr TimePoint kStart{std::chrono::hours{1}};

  // Runs work that is due now, or advances to the next due time, at most to `limit`. False: nothing
  // is left to run.
  bool Step(TimePoint limit);
  bool RunOneProcess();
  TimePoint NextWork() const;
  void FailForOneThatHasNotEnded(std::string_view when);
  const SimProcess* FirstRunningProcess() const;

  uint64_t seed_;
  TimePoint now_ = kStart;
  Random random_;
  Trace trace_;
  EventQueue events_;
  Fabric fabric_;
  std::vector<std::unique_ptr<SimProcess>> processes_;
  std::vector<SimProcess*> runnable_;
  std::optional<std::string> failure_;
  uint64_t steps_at_this_instant_ = 0;
  bool in_iteration_ = false;
};

}  // namespace meridian::io::sim
