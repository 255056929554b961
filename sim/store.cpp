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
    faults_.Heal();
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
    uint64_t fault = random().Below(kReplicaFaults);
    uint64_t which = random().Next();
    Duration from{random().Below(static_cast<uint64_t>(kFaultPhase.count()))};
    world_.After(from, [this, fault, which] { Begin(fault, which); });
  }

  // Links join the leader to each follower; a disk or a process is anybody's.
  void Begin(uint64_t fault, uint64_t draw) {
    io::sim::SimProcess& follower = *processes_[1 + draw % followers_.size()];
    draw /= followers_.size();
    io::sim::SimProcess& victim = *processes_[draw % processes_.size()];
    draw /= processes_.size();
    bool on_link = fault < kLinkFaults;
    faults_.Begin(fault, on_link ? *processes_[0] : victim, follower, draw);
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
  ReplicaFaults faults_{world_, [](const io::sim::SimProcess&) { return true; }};
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
