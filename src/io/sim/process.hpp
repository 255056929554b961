// SimProcess: one program in a simulated world, with a loop, a network and a disk of its own, and
// clocks that may be wrong. It can be crashed at any await and started again on the disk that is
// left. Owned by the World; one thread.
//
// Invariants of a crash: network and disk are severed before the first fiber hears of it, so what
// its fibers do on their way out reaches nobody. A process that ended by itself keeps nothing open.
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
  IpAddress address;      // its own; no two processes share one
  bool must_end = false;  // for World::RunToEnd
  // How wrong its clocks are: the wall clock's lead, and how much faster both run.
  Duration wall_skew{};
  int64_t drift_ppm = 0;
};

// What a process's main is given; lasts as long as its life.
struct Machine {
  Loop& loop;
  Network& network;
  Disk& disk;
  Random& random;
  SimProcess& process;
};

using Main = std::function<Task<void>(Machine&)>;

enum class CrashKind : uint8_t {
  kProcess,  // the kernel lives on: it closes or resets the connections, and the disk loses nothing
  kMachine,  // silence, until it is started again; what was not synced may be lost or torn
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
  // Its main came to its end by itself.
  bool ended() const;
  // Lives begun so far.
  int lives() const { return lives_; }

  // Only outside of iterations: from events. A process that does not run stays as it is.
  void Crash(CrashKind kind);
  // Crashes after so many more iterations of its loop: between any two awaits.
  void CrashAfterIterations(uint64_t iterations, CrashKind kind);
  // Runs main again, unless it runs. A crash that was to come is off.
  void Restart();

  TimePoint Now() const;
  WallTime Wall() const;

 private:
  friend class World;
  class Life;

  // In the world's time; kNever when it waits for events only.
  TimePoint NextWork() const;
  void RunIteration();
  // Cancels what runs and waits for its end; nothing of it is seen by others.
  void End();

  World& world_;
  HostId host_;
  SimProcessOptions options_;
  Main main_;
  DiskImage disk_;
  Random random_;
  std::unique_ptr<Life> life_;
  int lives_ = 0;
  std::optional<uint64_t> iterations_until_crash_;
  CrashKind crash_kind_ = CrashKind::kProcess;
};

}  // namespace meridian::io::sim
