// sim store: a leader that writes two logs, and followers that mirror both, each over one
// connection, on links that are cut, half cut, lossy and slow, with crashes at any await, lost and
// torn writes, full disks, and wrong clocks. Promises, for each log: a record acknowledged as
// durable exists after every crash. A follower has only records of the leader, at the same offsets,
// and all that it acknowledged. No crash looks like damage. Once the faults are over, all hold the
// same. Where the only fault is that a follower has no room for one log, it follows the other log
// without delay.
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
#include "io/sim/process.hpp"
#include "io/sim/trace.hpp"
#include "io/sim/world.hpp"
#include "sim/link_faults.hpp"
#include "sim/replica_faults.hpp"
#include "sim/simulation.hpp"
#include "sim/store_site.hpp"

namespace meridian::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kFaultPhase = seconds{8};
constexpr uint64_t kMaxFaults = 10;
constexpr Duration kWriteOn = seconds{2};
// A slow link needs 13 s for its queued data; detecting a dead connection takes 5 s, dialling again
// 5 s.
constexpr Duration kSettle = seconds{40};
constexpr uint64_t kMaxSkewMilliseconds = 4000;

// Besides those of replicas: a follower has no room for one log.
constexpr uint64_t kStallFault = kReplicaFaults;
constexpr uint64_t kFaults = kReplicaFaults + 1;

// The share of runs that have a stall in place of faults.
constexpr double kStallRuns = 0.2;
constexpr Duration kBeforeStall = seconds{1};
constexpr Duration kStallTick = milliseconds{100};
constexpr size_t kStallTicks = 40;
// While one log stalls, the other's durable records must be applied after this many ticks.
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
    faults_.Heal();
    for (auto& follower : followers_) follower->EndStall();
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
    uint64_t fault = random().Below(kFaults);
    uint64_t which = random().Next();
    Duration from{random().Below(static_cast<uint64_t>(kFaultPhase.count()))};
    world_.After(from, [this, fault, which] { Begin(fault, which); });
  }

  // Links join the leader to each follower; a disk or a process is anybody's.
  void Begin(uint64_t fault, uint64_t draw) {
    size_t follower = draw % followers_.size();
    draw /= followers_.size();
    if (fault == kStallFault) return followers_[follower]->Stall(draw % kStoreLogs.size());
    io::sim::SimProcess& victim = *processes_[draw % processes_.size()];
    draw /= processes_.size();
    bool on_link = fault < kLinkFaults;
    faults_.Begin(fault, on_link ? *processes_[0] : victim, *processes_[1 + follower], draw);
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
  ReplicaFaults faults_{world_, [](const io::sim::SimProcess&) { return true; }};
  StoreOracles oracles_;
  std::unique_ptr<StoreLeader> leader_;
  std::vector<std::unique_ptr<StoreFollower>> followers_;
  std::vector<io::sim::SimProcess*> processes_;
};

}  // namespace

Outcome SimulateStoreWith(uint64_t seed, io::sim::TraceMode trace, PlantedBug bug) {
  io::sim::World world(seed, trace);
  StoreRun run(world, bug);
  run.Run();
  Outcome outcome = OutcomeOf(world);
  world.End();  // before the objects that its processes refer to
  return outcome;
}

Outcome SimulateStore(uint64_t seed, io::sim::TraceMode trace) {
  return SimulateStoreWith(seed, trace, PlantedBug::kNone);
}

}  // namespace meridian::sim
