// sim store: a leader that writes a log, and followers that mirror it over links that are cut, half
// cut, lossy and slow, with crashes at any await, lost and torn writes, full disks, and wrong
// clocks. Promises: a record acknowledged as durable exists after every crash. A follower has only
// records of the leader, at the same offsets, and all that it acknowledged. No crash looks like
// damage. Once the faults are over, all hold the same.
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
// A slow link needs 13 s for its queued data; detecting a dead connection takes 5 s, dialling again
// 5 s.
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
  kMachineCrash
};
constexpr uint64_t kFaults = 8;

class StoreRun {
 public:
  StoreRun(io::sim::World& world, PlantedBug bug) : world_(world), oracle_(world) {
    leader_ = std::make_unique<StoreLeader>(world_, oracle_, bug);
    Add("leader", 0, [this](io::sim::Machine& machine) { return leader_->Run(machine); });
    size_t followers = 1 + random().Below(2);
    for (size_t i = 1; i <= followers; ++i) {
      followers_.push_back(std::make_unique<StoreFollower>(i, oracle_, bug));
      StoreFollower& follower = *followers_.back();
      Add(fmt::format("follower-{}", i), i,
          [&follower](io::sim::Machine& machine) { return follower.Run(machine); });
    }
  }

  void Run() {
    uint64_t faults = random().Below(kMaxFaults + 1);
    for (uint64_t i = 0; i < faults; ++i) PlanFault();
    world_.RunFor(kFaultPhase);
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
    io::sim::SimProcess& victim = *processes_[which / 8 % processes_.size()];
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
      case Fault::kCrash:
      case Fault::kMachineCrash:
        victim.CrashAfterIterations(which / 64 % 64, fault == Fault::kCrash
                                                         ? io::sim::CrashKind::kProcess
                                                         : io::sim::CrashKind::kMachine);
        world_.After(milliseconds{200 + which / 4096 % 3000}, [&victim] { victim.Restart(); });
        return;
    }
  }

  void Heal() {
    for (io::sim::SimProcess* process : processes_) {
      for (auto* link : {&world_.fabric().link(processes_[0]->host(), process->host()),
                         &world_.fabric().link(process->host(), processes_[0]->host())}) {
        link->cut = false;
        link->loss = 0;
        link->bytes_per_second = 0;
      }
      process->disk().faults.capacity_bytes = UINT64_MAX;
      process->Restart();
    }
    world_.Record("faults", "healed");
  }

  void CheckThatAllHoldTheSame() {
    const StoreState& state = leader_->state();
    if (state.end_offset == 0 || state.end_offset != leader_->durable_end_offset() ||
        state.end_offset < oracle_.acknowledged(0)) {
      world_.Fail(fmt::format("the leader ends at {}, its log at {}, of {} acknowledged",
                              state.end_offset, leader_->durable_end_offset(),
                              oracle_.acknowledged(0)));
    }
    for (size_t i = 0; i < followers_.size(); ++i) {
      if (followers_[i]->state() == state) continue;
      world_.Fail(fmt::format("follower {} holds all below {}, the leader all below {}", i + 1,
                              followers_[i]->state().end_offset, state.end_offset));
    }
  }

  io::sim::World& world_;
  StoreOracle oracle_;
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
