// sim session: two or three data centers whose clients write the same keys, over links that are
// cut, half cut, lossy and slow (which reorders data of different data centers), with crashes at
// any await, lost and torn writes, full disks, wrong clocks, keys that expire, and the loss of one
// data center, for ever or until it returns with an empty disk. Promises: in the end all data
// centers hold the same. No acknowledged write is lost by a crash, and no write past its WAIT by
// the loss of a data center. No deleted key comes back; no key outlives its expiry; and every
// tombstone is collected.
#include "sim/session.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/random.hpp"
#include "io/sim/fabric.hpp"
#include "io/sim/process.hpp"
#include "io/sim/trace.hpp"
#include "io/sim/world.hpp"
#include "sim/replica_faults.hpp"
#include "sim/session_oracle.hpp"
#include "sim/session_replica.hpp"
#include "sim/simulation.hpp"

namespace meridian::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kFaultPhase = seconds{8};
// Chance that two of three are cut off from each other for a while, in which the third could take
// what it has heard from both for what both have.
constexpr double kLongCutChance = 0.2;
constexpr Duration kLongCut = seconds{15};
constexpr uint64_t kMaxFaults = 12;
constexpr Duration kWriteOn = seconds{2};
// As of `sim store`, and until all tombstones are below the stability horizon and dropped.
constexpr Duration kSettle = seconds{50};
constexpr uint64_t kMaxSkewMilliseconds = 2000;
constexpr double kLossChance = 0.15;
constexpr double kFlushChance = 0.1;
// Chance that a lost data center returns, with an empty disk.
constexpr double kReturnChance = 0.5;

class SessionRun {
 public:
  SessionRun(io::sim::World& world, SessionBug bug) : world_(world), oracle_(world) {
    SessionRunOptions options{
        .bug = bug, .replicas = 2 + random().Below(2), .flushes = random().Chance(kFlushChance)};
    flushes_ = options.flushes;
    for (size_t i = 0; i < options.replicas; ++i) {
      replicas_.push_back(std::make_unique<SessionReplica>(world_, oracle_, i, options));
      SessionReplica& replica = *replicas_.back();
      processes_.push_back(&world_.AddProcess(
          {.name = fmt::format("replica-{}", i),
           .address = IpAddress::V4(10, 0, 0, static_cast<uint8_t>(1 + i)),
           .wall_skew = milliseconds{random().Below(kMaxSkewMilliseconds)},
           .drift_ppm = 100},
          [&replica](io::sim::Machine& machine) { return replica.Run(machine); }));
    }
  }

  void Run() {
    uint64_t faults = random().Below(kMaxFaults + 1);
    for (uint64_t i = 0; i < faults; ++i) PlanFault();
    world_.RunFor(kFaultPhase);
    if (processes_.size() == 3 && random().Chance(kLongCutChance)) CutTwoOfThree();
    if (random().Chance(kLossChance)) Lose();
    Heal();
    world_.RunFor(kWriteOn);
    for (auto& replica : replicas_) replica->StopWriting();
    world_.RunFor(kSettle);
    if (!world_.failure()) CheckEnd();
  }

 private:
  Random& random() { return world_.random(); }

  void PlanFault() {
    uint64_t fault = random().Below(kReplicaFaults);
    uint64_t which = random().Next();
    Duration from{random().Below(static_cast<uint64_t>(kFaultPhase.count()))};
    world_.After(from, [this, fault, which] { Begin(fault, which); });
  }

  void Begin(uint64_t fault, uint64_t draw) {
    size_t from = draw % processes_.size();
    draw /= processes_.size();
    size_t to = (from + 1 + draw % (processes_.size() - 1)) % processes_.size();
    draw /= processes_.size();
    faults_.Begin(fault, *processes_[from], *processes_[to], draw);
  }

  // Everything else works, as seen from the third.
  void CutTwoOfThree() {
    Heal();
    const size_t third = random().Below(processes_.size());
    const io::sim::HostId one = processes_[(third + 1) % 3]->host();
    const io::sim::HostId other = processes_[(third + 2) % 3]->host();
    world_.Record("faults", "long cut", third);
    world_.fabric().CutBothWays(one, other, true);
    world_.RunFor(kLongCut);
    for (auto& replica : replicas_) replica->StopWriting();
    world_.fabric().CutBothWays(one, other, false);
  }

  // Permanently, with its disk.
  void Lose() {
    lost_ = random().Below(processes_.size());
    world_.Record("faults", "lost", *lost_);
    processes_[*lost_]->Crash(io::sim::CrashKind::kMachine);
  }

  void Heal() {
    faults_.Heal();
    if (lost_ && random().Chance(kReturnChance)) Return();
  }

  // Returns the lost data center with an empty disk. The others set their copy of its log aside, as
  // docs/session.md tells operators.
  void Return() {
    returned_ = true;
    world_.Record("faults", "returns", *lost_);
    std::string copy = fmt::format("session/from-replica-{}", *lost_);
    for (size_t i = 0; i < processes_.size(); ++i) {
      processes_[i]->Crash(io::sim::CrashKind::kProcess);
      if (i == *lost_) {
        processes_[i]->disk().Replace();
        replicas_[i]->TakeNewDisk();
      } else {
        processes_[i]->disk().MoveFolder(copy, copy + ".lost");
      }
      processes_[i]->Restart();
    }
  }

  void CheckEnd() {
    std::vector<Contents> contents;
    for (size_t i = 0; i < replicas_.size(); ++i) {
      if (lost_ == i && !returned_) continue;
      if (!replicas_[i]->running()) {
        return world_.Fail(fmt::format("replica {} does not run after the faults", i));
      }
      contents.push_back(replicas_[i]->ReadContents());
      // The horizon cannot pass what the lost replica may not have applied.
      if (lost_ || replicas_[i]->Tombstones() == 0) continue;
      return world_.Fail(
          fmt::format("replica {} keeps {} tombstones", i, replicas_[i]->Tombstones()));
    }
    if (flushes_ && lost_) return;
    // With two data centers the remaining one had received everything.
    oracle_.CheckEnd(contents, lost_, returned_ && replicas_.size() == 2);
  }

  io::sim::World& world_;
  SessionOracle oracle_;
  std::vector<std::unique_ptr<SessionReplica>> replicas_;
  std::vector<io::sim::SimProcess*> processes_;
  std::optional<size_t> lost_;
  ReplicaFaults faults_{world_, [this](const io::sim::SimProcess& process) {
                          return !lost_ || &process != processes_[*lost_];
                        }};
  bool returned_ = false;
  bool flushes_ = false;
};

}  // namespace

Outcome SimulateSessionWith(uint64_t seed, io::sim::TraceMode trace, SessionBug bug) {
  io::sim::World world(seed, trace);
  SessionRun run(world, bug);
  run.Run();
  Outcome outcome = OutcomeOf(world);
  world.End();  // before the objects that its processes refer to
  return outcome;
}

Outcome SimulateSession(uint64_t seed, io::sim::TraceMode trace) {
  return SimulateSessionWith(seed, trace, SessionBug::kNone);
}

}  // namespace meridian::sim
