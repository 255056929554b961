// sim http: visitors, an edge, a balancer and instances over links that are cut, half cut, lossy
// and slow, with resets, refused ports and crashes at any await. Promises: an answer that looks
// whole is whole and belongs to its request; a request's body too. A request that is not idempotent
// is processed at most once. Edge and balancer together send an instance no more concurrent
// requests than it allows. Every request ends by its deadline and leaves nothing behind. Once the
// faults are over, both tiers answer requests again.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
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
#include "sim/http_plan.hpp"
#include "sim/http_site.hpp"
#include "sim/http_visitor.hpp"
#include "sim/link_faults.hpp"
#include "sim/simulation.hpp"

namespace meridian::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Faults begin and end within this time.
constexpr Duration kFaultPhase = seconds{6};
constexpr uint64_t kMaxFaults = 8;
constexpr uint64_t kSlowBytesPerSecond = 20'000;
constexpr size_t kVisitors = 2;
constexpr int kFibersOfVisitor = 3;
constexpr int kRequestsOfFiber = 3;
// The time in which health checks bring instances back and dead idle connections are closed.
constexpr Duration kSettle = seconds{7};
constexpr int kRequestsAfterwards = 4;
// Longer than every timeout of the servers and clients.
constexpr Duration kMaxServerTimeout = seconds{70};

class HttpRun {
 public:
  explicit HttpRun(io::sim::World& world) : world_(world) {
    size_t instances = 1 + random().Below(3);
    const size_t loops = 1 + random().Below(2);
    AddTier(SimTier::Kind::kEdge, instances, loops);
    AddTier(SimTier::Kind::kBalancer, instances, loops);
    for (size_t i = 0; i < instances; ++i) AddInstance(i);
    for (size_t i = 0; i < kVisitors; ++i) AddVisitor(i, kFibersOfVisitor, kRequestsOfFiber);
    if (random().Chance(0.5)) world_.fabric().options.short_reads = 0.3;
  }

  void Run() {
    uint64_t faults = random().Below(kMaxFaults + 1);
    for (uint64_t i = 0; i < faults; ++i) PlanFault();
    world_.After(kFaultPhase, [this] { Heal(); });
    world_.RunToEnd(world_.now() + seconds{60});
    world_.RunFor(kFaultPhase);
    world_.RunFor(kSettle);
    CheckThatRequestsSucceed();
    CheckThatNothingIsLeft();
  }

 private:
  // Faults in addition to link faults.
  enum class Fault : uint8_t { kRefuse, kCrash, kMachineCrash, kTierCrash };
  static constexpr uint64_t kFaults = 4;

  Random& random() { return world_.random(); }

  void AddTier(SimTier::Kind kind, size_t instances, size_t loops) {
    SimTier& tier = *tiers_.emplace_back(std::make_unique<SimTier>(kind, instances, loops));
    tier_processes_.push_back(
        &world_.AddProcess({.name = std::string(tier.name()), .address = tier.at().address},
                           [&tier](io::sim::Machine& machine) { return tier.Run(machine); }));
  }

  void AddInstance(size_t index) {
    instances_.push_back(std::make_unique<AppInstance>(world_, plans_));
    instance_processes_.push_back(&world_.AddProcess(
        {.name = fmt::format("instance-{}", index), .address = InstanceAddress(index)},
        [&instance = *instances_.back()](io::sim::Machine& machine) {
          return instance.Run(machine);
        }));
    instances_.back()->OnRequest([this, index] { CheckInFlight(index); });
  }

  void CheckInFlight(size_t instance) {
    uint32_t sum = 0;
    for (const auto& tier : tiers_) sum += tier->in_flight(instance);
    if (sum <= kMaxInFlight) return;
    world_.Fail(fmt::format("instance {} has {} requests in flight; {} are allowed", instance, sum,
                            kMaxInFlight));
  }

  void AddVisitor(size_t index, int fibers, int requests) {
    visitors_.push_back(
        &world_.AddProcess({.name = fmt::format("visitor-{}", index),
                            .address = IpAddress::V4(10, 0, 2, static_cast<uint8_t>(index + 1)),
                            .must_end = true},
                           [this, index, fibers, requests](io::sim::Machine& machine) {
                             return RunVisitor(machine, TierOf(index), fibers, requests);
                           }));
    auto latency = milliseconds{1 + random().Below(40)};
    io::sim::HostId host = visitors_.back()->host();
    io::sim::HostId tier = tier_processes_[index % tiers_.size()]->host();
    for (auto* link : {&world_.fabric().link(host, tier), &world_.fabric().link(tier, host)}) {
      *link = {.latency = latency, .jitter = latency / 4};
    }
  }

  // Visitors use the tiers alternately.
  const SimTier& TierOf(size_t visitor) const { return *tiers_[visitor % tiers_.size()]; }

  io::Task<void> RunVisitor(io::sim::Machine& machine, const SimTier& tier, int fibers,
                            int requests) {
    http::Client client(machine.loop, machine.network, {.address = tier.at()});
    io::Scope scope(machine.loop);
    for (int i = 0; i < fibers; ++i) scope.Spawn(RunFiber(machine, client, requests));
    co_await scope.Join();
    client.CloseIdle();
  }

  io::Task<void> RunFiber(io::sim::Machine& machine, http::Client& client, int requests) {
    for (int i = 0; i < requests; ++i) {
      if (!co_await io::Sleep(milliseconds{machine.random.Below(1500)})) co_return;
      co_await Visit(world_, machine, client, plans_.Draw(machine.random), tally_);
    }
  }

  void PlanFault() {
    uint64_t fault = random().Below(kLinkFaults + kFaults);
    uint64_t which = random().Next();
    auto begin = static_cast<uint64_t>(kFaultPhase.count());
    Duration from{random().Below(begin)};
    bool inside = random().Chance(0.6);
    world_.After(from, [this, fault, inside, which] {
      if (fault < kLinkFaults) {
        BeginOnLink(static_cast<LinkFault>(fault), inside, which);
      } else {
        Begin(static_cast<Fault>(fault - kLinkFaults), which);
      }
    });
  }

  // Begins a fault on a link between a tier and an instance, or between a tier and a visitor.
  void BeginOnLink(LinkFault fault, bool inside, uint64_t which) {
    io::sim::HostId tier = tier_processes_[which / 64 % tiers_.size()]->host();
    io::sim::HostId other = inside ? instance_processes_[which % instances_.size()]->host()
                                   : visitors_[which % visitors_.size()]->host();
    world_.Record("faults", "link", static_cast<uint64_t>(fault), other);
    if (which / 8 % 2 == 0) std::swap(tier, other);
    BeginLinkFault(world_.fabric(), fault, {tier, other, kSlowBytesPerSecond});
  }

  void Begin(Fault fault, uint64_t which) {
    size_t instance = which % instances_.size();
    world_.Record("faults", "begin", static_cast<uint64_t>(fault), instance);
    uint64_t iterations = which / 16 % 16;
    switch (fault) {
      case Fault::kRefuse:
        world_.fabric().RefuseConnects({InstanceAddress(instance), kInstancePort}, true);
        return;
      case Fault::kCrash:
        return Crash(*instance_processes_[instance], iterations, io::sim::CrashKind::kProcess);
      case Fault::kMachineCrash:
        return Crash(*instance_processes_[instance], iterations, io::sim::CrashKind::kMachine);
      case Fault::kTierCrash:
        return Crash(*tier_processes_[which / 64 % tiers_.size()], iterations,
                     io::sim::CrashKind::kProcess);
    }
  }

  void Crash(io::sim::SimProcess& process, uint64_t iterations, io::sim::CrashKind kind) {
    process.CrashAfterIterations(iterations, kind);
    world_.After(milliseconds{500 + random().Below(1000)}, [&process] { process.Restart(); });
  }

  void Heal() {
    HealLinks(world_);
    for (size_t i = 0; i < instances_.size(); ++i) {
      world_.fabric().RefuseConnects({InstanceAddress(i), kInstancePort}, false);
    }
    for (auto* process : instance_processes_) process->Restart();
    for (auto* process : tier_processes_) process->Restart();
    world_.Record("faults", "healed");
  }

  void CheckThatRequestsSucceed() {
    for (size_t i = 0; i < tiers_.size(); ++i) {
      tally_ = {};
      size_t visitor = kVisitors + i;
      AddVisitor(visitor, 1, kRequestsAfterwards);
      world_.RunToEnd(world_.now() + seconds{60});
      if (tally_.answered == kRequestsAfterwards) continue;
      world_.Fail(fmt::format("after the faults {} of {} requests to the {} were answered",
                              tally_.answered, kRequestsAfterwards, TierOf(visitor).name()));
    }
  }

  size_t Left() const {
    size_t left = 0;
    for (const auto& tier : tiers_) left += tier->in_flight();
    for (const auto& instance : instances_) left += instance->busy();
    return left;
  }

  void CheckThatNothingIsLeft() {
    // A peer on a crashed machine is silent, so only a timeout ends the wait for it.
    if (Left() > 0) world_.RunFor(kMaxServerTimeout);
    if (Left() > 0) world_.Fail(fmt::format("{} requests never ended at the servers", Left()));
  }

  io::sim::World& world_;
  Plans plans_;
  VisitorTally tally_;
  std::vector<std::unique_ptr<SimTier>> tiers_;
  std::vector<io::sim::SimProcess*> tier_processes_;
  std::vector<std::unique_ptr<AppInstance>> instances_;
  std::vector<io::sim::SimProcess*> instance_processes_;
  std::vector<io::sim::SimProcess*> visitors_;
};

}  // namespace

Outcome SimulateHttp(uint64_t seed, io::sim::TraceMode trace) {
  io::sim::World world(seed, trace);
  HttpRun run(world);
  run.Run();
  Outcome outcome = OutcomeOf(world);
  world.End();  // before the objects that its processes refer to
  return outcome;
}

}  // namespace meridian::sim
