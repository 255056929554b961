// World: a whole site in one thread, with a clock, a network and disks that are not real. It owns
// virtual time and one queue of events, runs whichever process has something to do, in an order
// that the seed draws, and jumps to the next event or timer when none has. The same seed gives the
// same run, byte for byte: nothing here looks at real time, at addresses or at threads.
//
//   World world(seed);
//   SimProcess& server = world.AddProcess({.name = "server", .address = kServer}, Serve);
//   world.After(seconds{3}, [&] { server.Crash(CrashKind::kMachine); });
//   world.RunFor(seconds{30});
//   if (world.failure()) ...
//
// Owned by a simulation; one thread, and any number of worlds on different threads.
// Invariants: events happen outside of every process's turn. Once a failure is recorded nothing
// more happens.
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
  // Processes that still run are cancelled and drained, without effect on each other.
  ~World();

  uint64_t seed() const { return seed_; }
  TimePoint now() const { return now_; }
  Duration elapsed() const { return now_ - kStart; }
  Random& random() { return random_; }
  Trace& trace() { return trace_; }
  Fabric& fabric() { return fabric_; }

  // Starts `main` as a process of its own. It lives as long as the world.
  SimProcess& AddProcess(SimProcessOptions options, Main main);
  const std::vector<std::unique_ptr<SimProcess>>& processes() const { return processes_; }

  void At(TimePoint when, Action action) { events_.Add(when, std::move(action)); }
  void After(Duration delay, Action action) { events_.Add(now_ + delay, std::move(action)); }

  // Into the trace.
  void Record(std::string_view process, std::string_view what, uint64_t a = 0, uint64_t b = 0) {
    trace_.Record(elapsed(), process, what, a, b);
  }

  // A promise was broken. The first failure stays, and ends the run.
  void Fail(std::string why);
  const std::optional<std::string>& failure() const { return failure_; }

  // Lets time pass.
  void RunFor(Duration duration) { RunUntil(now_ + duration); }
  void RunUntil(TimePoint when);
  // Until every process that `must_end` has ended. Fails, and names a process that has not: when
  // nothing is left that could wake it, or at `limit`.
  void RunToEnd(TimePoint limit);
  // Ends every process, before what their mains refer to goes; the destructor does that as well.
  void End();
  // Whether a turn of some process is under way.
  bool in_iteration() const { return in_iteration_; }

 private:
  static constexpr TimePoint kStart{std::chrono::hours{1}};

  // Does what is due now; or moves on to what is due next, at most to `limit`, and says false when
  // there is nothing.
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
