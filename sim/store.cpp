// sim store: a leader that writes two logs, and followers that mirror both, each over one
// connection, on links that are cut, half cut, lossy and slow, with crashes at any await, lost and
// torn writes, full disks, and clocks that are wrong. Promises, for each log: what was acknowledged
// as durable is there after every crash; a follower has only records that the leader has, at the
// same offsets, and those that it acknowledged; no crash looks like damage; once the faults are
// over, all hold the same; and where nothing is wrong but that a follower has no room for one log,
// the other log is followed as before.
#include "sim/store.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "io/sim/fabric.hpp"
#include "io/sim/process.hpp"
#include "io/sim/trace.hpp"
#include "io/sim/world.hpp"
#include "sim/simulation.hpp"
#include "sim/store_site.hpp"

namespace meridian::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kFaultPhase = seconds{8};
constexpr uint64_t kMaxFaults = 10;
constexpr Duration kWriteOn = seconds{2};
// What a slow link still carries takes 13 s, to find a connection dead five, to dial again five.
constexpr Duration kSettle = seconds{40};
constexpr uint64_t kMaxSkewMilliseconds = 4000;

enum class Fault : uint8_t {
  kCut,
  kHalfCut,
  kLossy,
  kSlow,
  kReset,
  kFullDisk,
  kCrash,
  kMachineCrash,
  kStall  // of one log
};
constexpr uint64_t kFaults = 9;

// A run in so many has a stall in place of faults.
constexpr double kStallRuns = 0.2;
constexpr Duration kBeforeStall = seconds{1};
constexpr Duration kStallTick = milliseconds{100};
constexpr size_t kStallTicks = 40;
// While one log stalls, what is durable of the other must be applied after so many ticks.
constexpr size_t kMaxTicksBehind = 3;

class StoreRun {
 public:
  StoreRun(io::sim::World& world, PlantedBug bug)
      : world_(world), oracles_{{{world, kStoreLogs[0]}, {world, kStoreLogs[1]}}} {
    leader_ = std::make_unique<StoreLeader>(world_, oracles_, bug);
    Add("leader", 0, [this](io::sim::Machine& machine) { return leader_->Run(machine); });
    size_t followers = 1 + random().Below(2);
    for (size_t i = 1; i <= followers; ++i) {
      followers_.push_back(std::make_unique<StoreFollower>(i, oracles_, bug));
      StoreFollower& follower = *followers_.back();
      Add(fmt::format("follower-{}", i), i,
          [&follower](io::sim::Machine& machine) { return follower.Run(machine); });
    }
  }

  void Run() {
    if (random().Chance(kStallRuns)) {
      RunWithAStall();
    } else {
      uint64_t faults = random().Below(kMaxFaults + 1);
      for (uint64_t i = 0; i < faults; ++i) PlanFault();
      world_.RunFor(kFaultPhase);
    }
    Heal();
    world_.RunFor(kWriteOn);
    leader_->StopWriting();
    world_.RunFor(kSettle);
    if (!world_.failure()) CheckThatAllHoldTheSame();
  }

 private:
  Random& random() { return world_.random(); }

  void Add(std::string name, size_t machine, io::sim::Main main) {
    auto skew = milliseconds{random().Below(kMaxSkewMilliseconds)};
    processes_.push_back(&world_.AddProcess({.name = std::move(name),
                                             .address = StoreAddress(machine),
                                             .wall_skew = skew,
                                             .drift_ppm = 100},
                                            std::move(main)));
  }

  void RunWithAStall() {
    StoreFollower& follower = *followers_[random().Below(followers_.size())];
    size_t stalled = random().Below(kStoreLogs.size());
    size_t other = 1 - stalled;
    world_.RunFor(kBeforeStall);
    follower.Stall(stalled);
    std::vector<uint64_t> durable;  // of the other log, by tick
    for (size_t tick = 0; tick < kStallTicks; ++tick) {
      durable.push_back(leader_->durable_end_offset(other));
      world_.RunFor(kStallTick);
      if (tick < kMaxTicksBehind) continue;
      uint64_t expected = durable[tick - kMaxTicksBehind];
      uint64_t end_offset = follower.state(other).end_offset;
      if (end_offset >= expected) continue;
      world_.Fail(fmt::format("while {} stalls, a follower holds all of {} below {} and not {}",
                              kStoreLogs[stalled], kStoreLogs[other], end_offset, expected));
    }
    if (follower.state(stalled).end_offset + 1 >= leader_->durable_end_offset(stalled))
      world_.Fail("a log whose copy has no room is followed");
  }

  void PlanFault() {
    auto fault = static_cast<Fault>(random().Below(kFaults));
    uint64_t which = random().Next();
    Duration from{random().Below(static_cast<uint64_t>(kFaultPhase.count()))};
    world_.After(from, [this, fault, which] { Begin(fault, which); });
  }

  void Begin(Fault fault, uint64_t which) {
    size_t follower = 1 + which % followers_.size();
    io::sim::HostId leader = processes_[0]->host();
    io::sim::HostId other = processes_[follower]->host();
    io::sim::Process& victim = *processes_[which / 8 % processes_.size()];
    io::sim::Fabric& fabric = world_.fabric();
    world_.Record("faults", "begin", static_cast<uint64_t>(fault), other);
    switch (fault) {
      case Fault::kCut:
        fabric.CutBothWays(leader, other, true);
        world_.After(milliseconds{which / 64 % 4000},
                     [&fabric, leader, other] { fabric.CutBothWays(leader, other, false); });
        return;
      case Fault::kHalfCut:
        (which / 64 % 2 == 0 ? fabric.link(leader, other) : fabric.link(other, leader)).cut = true;
        return;
      case Fault::kLossy:
        fabric.link(leader, other).loss = fabric.link(other, leader).loss = 0.2;
        return;
      case Fault::kSlow:
        fabric.link(leader, other).bytes_per_second = 5'000;
        return;
      case Fault::kReset:
        fabric.ResetConnections(leader, other);
        return;
      case Fault::kFullDisk:
        victim.disk().faults.capacity_bytes = victim.disk().used_bytes() + which / 64 % 5000;
        return;
      case Fault::kStall:
        followers_[follower - 1]->Stall(which / 64 % kStoreLogs.size());
        return;
      case Fault::kCrash:
      case Fault::kMachineCrash:
        victim.CrashAfterTurns(which / 64 % 64, fault == Fault::kCrash
                                                    ? io::sim::CrashKind::kProcess
                                                    : io::sim::CrashKind::kMachine);
        world_.After(milliseconds{200 + which / 4096 % 3000}, [&victim] { victim.Restart(); });
        return;
    }
  }

  void Heal() {
    for (io::sim::Process* process : processes_) {
      for (auto* link : {&world_.fabric().link(processes_[0]->host(), process->host()),
                         &world_.fabric().link(process->host(), processes_[0]->host())}) {
        link->cut = false;
        link->loss = 0;
        link->bytes_per_second = 0;
      }
      process->disk().faults.capacity_bytes = UINT64_MAX;
      process->Restart();
    }
    for (auto& follower : followers_) follower->EndStall();
    world_.Record("faults", "healed");
  }

  void CheckThatAllHoldTheSame() {
    for (size_t log = 0; log < kStoreLogs.size(); ++log) CheckThatAllHoldTheSame(log);
  }

  void CheckThatAllHoldTheSame(size_t log) {
    const StoreState& state = leader_->state(log);
    uint64_t acknowledged = oracles_[log].acknowledged(0);
    if (state.end_offset == 0 || state.end_offset != leader_->durable_end_offset(log) ||
        state.end_offset < acknowledged) {
      world_.Fail(fmt::format("the leader ends at {}, its log {} at {}, of {} acknowledged",
                              state.end_offset, kStoreLogs[log], leader_->durable_end_offset(log),
                              acknowledged));
    }
    for (size_t i = 0; i < followers_.size(); ++i) {
      if (followers_[i]->state(log) == state) continue;
      world_.Fail(fmt::format("follower {} holds all of {} below {}, the leader all below {}",
                              i + 1, kStoreLogs[log], followers_[i]->state(log).end_offset,
                              state.end_offset));
    }
  }

  io::sim::World& world_;
  StoreOracles oracles_;
  std::unique_ptr<StoreLeader> leader_;
  std::vector<std::unique_ptr<StoreFollower>> followers_;
  std::vector<io::sim::Process*> processes_;
};

}  // namespace

Outcome SimulateStoreWith(uint64_t seed, io::sim::TraceMode trace, PlantedBug bug) {
  io::sim::World world(seed, trace);
  StoreRun run(world, bug);
  run.Run();
  Outcome outcome = OutcomeOf(world);
  world.End();  // before what its processes refer to
  return outcome;
}

Outcome SimulateStore(uint64_t seed, io::sim::TraceMode trace) {
  return SimulateStoreWith(seed, trace, PlantedBug::kNone);
}

}  // namespace meridian::sim
