// sim coordinator: three data centers that want one term, in an etcd of three members, over links
// that are cut one way or both, slow and lossy; candidates and members that crash and pause; clocks
// that are too fast or too slow; elections; requests that are executed long after their client has
// given up; a key that somebody removes. Promises: at no time two hold the term; no epoch is held
// twice; a bounded time after the last fault one holds it.
#include "sim/coordinator/coordinator.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/random.hpp"
#include "http/client/client.hpp"
#include "io/scope.hpp"
#include "io/sim/fabric.hpp"
#include "io/sim/process.hpp"
#include "io/sim/trace.hpp"
#include "io/sim/world.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "sim/coordinator/etcd_cluster.hpp"
#include "sim/link_faults.hpp"
#include "sim/simulation.hpp"
#include "site/coordinator/etcd.hpp"
#include "site/coordinator/limits.hpp"
#include "site/coordinator/term_keeper.hpp"

namespace meridian::sim {
namespace {

constexpr size_t kPlaces = 3;
constexpr std::array<const char*, kPlaces> kNames = {"us-east", "us-west", "london"};
constexpr Duration kLook = std::chrono::milliseconds{1};
constexpr Duration kFaultPhase = std::chrono::seconds{40};
constexpr uint64_t kMaxFaults = 14;
constexpr Duration kMaxFault = std::chrono::seconds{8};
constexpr Duration kMaxDelay = std::chrono::milliseconds{1500};
// After the last fault: requests that still wait for a member, then the timeout of a term.
constexpr Duration kSettle = site::kEtcdTimeout * 6 + site::kTermTimeout * 2;
// Share of the seeds in which clocks are too fast or too slow.
constexpr double kDrift = 0.7;

IpAddress MemberAddress(size_t place) {
  return IpAddress::V4(10, 0, 1, static_cast<uint8_t>(place + 1));
}
IpAddress CandidateAddress(size_t place) {
  return IpAddress::V4(10, 0, 2, static_cast<uint8_t>(place + 1));
}

// A data center that wants the term. Each Run is one life.
class Candidate {
 public:
  explicit Candidate(size_t place) : place_(place) {}

  io::Task<void> Run(io::sim::Machine& machine) {
    std::vector<http::Upstream> members;
    // Its own member first.
    for (size_t i = 0; i < kPlaces; ++i) {
      members.push_back({.address = {MemberAddress((place_ + i) % kPlaces), EtcdCluster::kPort}});
    }
    site::Etcd etcd(machine.loop, machine.network, std::move(members));
    site::TermKeeper keeper(machine.loop, etcd,
                            {.key = "/meridian/photos/term/shard-0",
                             .holder = kNames[place_],
                             .life = machine.random.Next()});
    const Life life(*this, keeper);
    keeper.SetWanted(wanted_);
    io::Scope scope(machine.loop);
    scope.Spawn(keeper.Run());
    io::WaitQueue nobody;
    (void)co_await nobody.Wait();
    scope.Cancel();
    co_await scope.Join();
  }

  // Whether its process takes itself for the holder now.
  bool Holds(const io::sim::SimProcess& process) const {
    return keeper_ != nullptr && keeper_->term().Holds(process.Now());
  }
  uint64_t epoch() const { return keeper_->term().epoch(); }
  void SetWanted(bool wanted) {
    wanted_ = wanted;
    if (keeper_ != nullptr) keeper_->SetWanted(wanted);
  }

 private:
  struct Life {
    Life(Candidate& candidate, site::TermKeeper& keeper) : owner(candidate) {
      owner.keeper_ = &keeper;
    }
    Life(const Life&) = delete;
    Life& operator=(const Life&) = delete;
    ~Life() { owner.keeper_ = nullptr; }
    Candidate& owner;
  };

  size_t place_;
  bool wanted_ = true;
  site::TermKeeper* keeper_ = nullptr;
};

class CoordinatorRun {
 public:
  CoordinatorRun(io::sim::World& world, int64_t drift_ppm) : world_(world), cluster_(world) {
    const bool drifts = random().Chance(kDrift);
    for (size_t i = 0; i < kPlaces; ++i) {
      members_.push_back(&world.AddProcess(
          {.name = fmt::format("etcd-{}", kNames[i]), .address = MemberAddress(i)},
          [this](io::sim::Machine& machine) { return cluster_.Serve(machine); }));
    }
    for (size_t i = 0; i < kPlaces; ++i) {
      candidates_.push_back(std::make_unique<Candidate>(i));
      const auto range = static_cast<uint64_t>(2 * drift_ppm + 1);
      const int64_t drift = drifts ? static_cast<int64_t>(random().Below(range)) - drift_ppm : 0;
      processes_.push_back(&world.AddProcess(
          {.name = kNames[i], .address = CandidateAddress(i), .drift_ppm = drift},
          [this, i](io::sim::Machine& machine) { return candidates_[i]->Run(machine); }));
    }
  }

  void Run() {
    const uint64_t count = 1 + random().Below(kMaxFaults);
    for (uint64_t i = 0; i < count; ++i) PlanFault();
    Look();
    world_.RunFor(kFaultPhase + kMaxFault);
    HealLinks(world_);
    for (auto& candidate : candidates_) candidate->SetWanted(true);
    world_.RunFor(kSettle);
    if (!holder_ && !world_.failure())
      world_.Fail("nobody holds the term, long after the last fault");
  }

 private:
  enum class Fault : uint8_t {
    kLink,
    kCandidateCrash,
    kCandidatePause,
    kMemberCrash,
    kMemberPause,
    kElection,
    kDelay,
    kGivesUp,
    kKeyRemoved,
    kIsolated,  // a candidate, from all members
    kSilent,    // it hears nobody
    kUnheard,   // nobody hears it
  };
  static constexpr uint64_t kFaults = 12;

  Random& random() { return world_.random(); }

  void PlanFault() {
    const auto fault = static_cast<Fault>(random().Below(kFaults));
    const size_t place = random().Below(kPlaces);
    const size_t member = random().Below(kPlaces);
    const auto link = static_cast<LinkFault>(random().Below(kLinkFaults));
    const bool back = random().Chance(0.5);
    const Duration begin{random().Below(static_cast<uint64_t>(kFaultPhase.count()))};
    const Duration lasts{random().Below(static_cast<uint64_t>(kMaxFault.count()))};
    world_.After(begin, [=, this] {
      world_.Record("faults", "begin", static_cast<uint64_t>(fault), place * 10 + member);
      Begin(fault, place, lasts);
      if (fault != Fault::kLink) return;
      const io::sim::HostId here = processes_[place]->host();
      const io::sim::HostId there = members_[member]->host();
      BeginLinkFault(
          world_.fabric(), link,
          {.from = back ? there : here, .to = back ? here : there, .slow_bytes_per_second = 2'000});
    });
    world_.After(begin + lasts, [=, this] { End(fault, place); });
  }

  void Begin(Fault fault, size_t place, Duration lasts) {
    switch (fault) {
      case Fault::kLink:
        return;
      case Fault::kCandidateCrash:
        return processes_[place]->Crash(CrashKindOf(lasts));
      case Fault::kCandidatePause:
        return processes_[place]->Pause(lasts);
      case Fault::kMemberCrash:
        return members_[place]->Crash(CrashKindOf(lasts));
      case Fault::kMemberPause:
        return members_[place]->Pause(lasts);
      case Fault::kElection:
        return cluster_.SetLeader(false);
      case Fault::kDelay:
        return cluster_.SetDelay(kMaxDelay);
      case Fault::kGivesUp:
        return candidates_[place]->SetWanted(false);
      case Fault::kKeyRemoved:
        return cluster_.RemoveKeys();
      case Fault::kIsolated:
        return Cut(place, true, true);
      case Fault::kSilent:
        return Cut(place, false, true);
      case Fault::kUnheard:
        return Cut(place, true, false);
    }
  }

  void End(Fault fault, size_t place) {
    switch (fault) {
      case Fault::kLink:
      case Fault::kIsolated:
      case Fault::kSilent:
      case Fault::kUnheard:
        return HealLinks(world_);
      case Fault::kCandidateCrash:
        return processes_[place]->Restart();
      case Fault::kMemberCrash:
        return members_[place]->Restart();
      case Fault::kElection:
        return cluster_.SetLeader(true);
      case Fault::kDelay:
        return cluster_.SetDelay({});
      case Fault::kGivesUp:
        return candidates_[place]->SetWanted(true);
      case Fault::kCandidatePause:
      case Fault::kMemberPause:
      case Fault::kKeyRemoved:
        return;
    }
  }

  void Cut(size_t place, bool there, bool back) {
    const io::sim::HostId here = processes_[place]->host();
    for (const io::sim::SimProcess* member : members_) {
      world_.fabric().link(here, member->host()).cut = there;
      world_.fabric().link(member->host(), here).cut = back;
    }
  }

  static io::sim::CrashKind CrashKindOf(Duration lasts) {
    return lasts.count() % 2 == 0 ? io::sim::CrashKind::kProcess : io::sim::CrashKind::kMachine;
  }

  // Checks the promises that hold at any time, and comes again.
  void Look() {
    std::optional<size_t> holder;
    for (size_t i = 0; i < kPlaces; ++i) {
      if (!candidates_[i]->Holds(*processes_[i])) continue;
      if (holder) world_.Fail(fmt::format("{} and {} hold the term", kNames[*holder], kNames[i]));
      holder = i;
    }
    if (holder) CheckEpoch(*holder);
    holder_ = holder;
    world_.After(kLook, [this] { Look(); });
  }

  void CheckEpoch(size_t holder) {
    const uint64_t epoch = candidates_[holder]->epoch();
    const int life = processes_[holder]->lives();
    if (epoch == epoch_ && holder == epoch_holder_ && life == epoch_life_) return;
    if (epoch <= epoch_) {
      world_.Fail(fmt::format("{} holds the term under epoch {}, {} had it under {}",
                              kNames[holder], epoch, kNames[epoch_holder_], epoch_));
    }
    world_.Record(kNames[holder], "holds", epoch);
    epoch_ = epoch;
    epoch_holder_ = holder;
    epoch_life_ = life;
  }

  io::sim::World& world_;
  EtcdCluster cluster_;
  std::vector<io::sim::SimProcess*> members_;
  std::vector<std::unique_ptr<Candidate>> candidates_;
  std::vector<io::sim::SimProcess*> processes_;  // of the candidates
  std::optional<size_t> holder_;
  // The greatest so far, and who had it.
  uint64_t epoch_ = 0;
  size_t epoch_holder_ = 0;
  int epoch_life_ = 0;
};

}  // namespace

Outcome SimulateCoordinatorWith(uint64_t seed, io::sim::TraceMode trace, int64_t drift_ppm) {
  io::sim::World world(seed, trace);
  CoordinatorRun run(world, drift_ppm);
  run.Run();
  Outcome outcome = OutcomeOf(world);
  world.End();  // before the objects that its processes refer to
  return outcome;
}

Outcome SimulateCoordinator(uint64_t seed, io::sim::TraceMode trace) {
  constexpr int64_t kDriftPpm = 50'000;
  return SimulateCoordinatorWith(seed, trace, kDriftPpm);
}

}  // namespace meridian::sim
