// SimProcess: one program in a simulated world, with its own loop, network and disk, and clocks
// that may be wrong. It can be crashed at any await and restarted on its disk. Owned by the World;
// one thread.
//
// Invariants: a crash severs network and disk before it cancels the first fiber, so that ending
// fibers have no effect on other processes. A process whose main ended keeps no connection open.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/random.hpp"
#include "io/file/disk.hpp"
#include "io/loop.hpp"
#include "io/net/network.hpp"
#include "io/sim/disk_image.hpp"
#include "io/sim/fabric.hpp"
#include "io/task.hpp"

namespace meridian::io::sim {

class World;
class SimProcess;

struct SimProcessOptions {
  std::string name;
  IpAddress address;      // unique to this process
  bool must_end = false;  // for World::RunToEnd
  // Errors of its clocks: the lead of the wall clock, and the excess rate of both clocks.
  Duration wall_skew{};
  int64_t drift_ppm = 0;
};

// The argument of a process's main; valid as long as the process's life.
struct Machine {
  Loop& loop;
  Network& network;
  Disk& disk;
  Random& random;
  SimProcess& process;
};

using Main = std::function<Task<void>(Machine&)>;

enum class CrashKind : uint8_t {
  kProcess,  // the kernel keeps running: it closes or resets the connections, and the disk loses
             // nothing
  kMachine,  // the host is silent until it is restarted; unsynced changes may be lost or torn
};

class SimProcess {
 public:
  SimProcess(World& world, HostId host, SimProcessOptions options, Main main);
  ~SimProcess();

  const std::string& name() const { return options_.name; }
  const SimProcessOptions& options() const { return options_; }
  HostId host() const { return host_; }
  DiskImage& disk() { return disk_; }
  bool running() const { return life_ != nullptr && !ended(); }
  // Whether main returned by itself.
  bool ended() const;
  // Number of starts so far.
  int lives() const { return lives_; }

  // Call only from events, outside of loop iterations. Does nothing to a process that does not run.
  void Crash(CrashKind kind);
  // Crashes after `iterations` more iterations of its loop, so between any two awaits.
  void CrashAfterIterations(uint64_t iterations, CrashKind kind);
  // Stops the process for this time, as SIGSTOP does: its clocks go on, and events wait for it.
  void Pause(Duration duration);
  // Starts main again, unless it runs. Cancels a crash that was scheduled, and a pause.
  void Restart();

  TimePoint Now() const;
  WallTime Wall() const;

 private:
  friend class World;
  class Life;

  // In the world's time; kNever when the process waits for events only.
  TimePoint NextWork() const;
  void RunIteration();
  // Cancels all fibers and runs them to their end, without effect on other processes.
  void End();

  World& world_;
  HostId host_;
  SimProcessOptions options_;
  Main main_;
  DiskImage disk_;
  Random random_;
  std::unique_ptr<Life> life_;
  int lives_ = 0;
  TimePoint paused_until_ = TimePoint::min();  // in the world's time
  std::optional<uint64_t> iterations_until_crash_;
  CrashKind crash_kind_ = CrashKind::kProcess;
};

}  // namespace meridian::io::sim
