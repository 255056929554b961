// sim http: visitors, a balancer and instances over links that are cut, half cut, lossy and slow,
// with resets, refused ports and crashes at any await. Promises: an answer that looks whole is
// whole and is the answer to its request; so is a request's body; a request that is not idempotent
// is processed at most once; every request ends by its deadline, and nothing of it is left behind;
// and once the faults are over, requests are answered again.
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
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
#include "sim/simulation.hpp"

namespace meridian::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Faults begin and end within this.
constexpr Duration kFaultPhase = seconds{6};
constexpr uint64_t kMostFaults = 8;
constexpr size_t kVisitors = 2;
constexpr int kFibersOfVisitor = 3;
constexpr int kRequestsOfFiber = 3;
// Health checks bring instances back, and kept connections that have died are given up for old.
constexpr Duration kSettle = seconds{7};
constexpr int kRequestsAfterwards = 4;
// Longer than any timeout of the servers and clients between them.
constexpr Duration kLongestTimeout = seconds{70};

class HttpRun {
 public:
  explicit HttpRun(io::sim::World& world) : world_(world) {
    size_t instances = 1 + random().Below(3);
    balancer_ = std::make_unique<SimBalancer>(instances);
    balancer_process_ =
        &world_.AddProcess({.name = "balancer", .address = BalancerAddress()},
                           [this](io::sim::Machine& machine) { return balancer_->Run(machine); });
    for (size_t i = 0; i < instances; ++i) AddInstance(i);
    for (size_t i = 0; i < kVisitors; ++i) AddVisitor(i, kFibersOfVisitor, kRequestsOfFiber);
    if (random().Chance(0.5)) world_.fabric().options.short_reads = 0.3;
  }

  void Run() {
    uint64_t faults = random().Below(kMostFaults + 1);
    for (uint64_t i = 0; i < faults; ++i) PlanFault();
    world_.After(kFaultPhase, [this] { Heal(); });
    world_.RunToEnd(world_.now() + seconds{60});
    world_.RunFor(kFaultPhase);
    world_.RunFor(kSettle);
    CheckThatRequestsSucceed();
    CheckThatNothingIsLeft();
  }

 private:
  enum class Fault : uint8_t {
    kCut,
    kHalfCut,
    kLossy,
    kSlow,
    kReset,
    kRefuse,
    kCrash,
    kMachineCrash,
    kBalancerCrash,
  };
  static constexpr uint64_t kFaults = 9;

  Random& random() { return world_.random(); }
  io::sim::HostId balancer_host() const { return balancer_process_->host(); }

  void AddInstance(size_t index) {
    instances_.push_back(std::make_unique<AppInstance>(world_, plans_));
    instance_processes_.push_back(&world_.AddProcess(
        {.name = fmt::format("instance-{}", index), .address = InstanceAddress(index)},
        [&instance = *instances_.back()](io::sim::Machine& machine) {
          return instance.Run(machine);
        }));
  }

  void AddVisitor(size_t index, int fibers, int requests) {
    visitors_.push_back(
        &world_.AddProcess({.name = fmt::format("visitor-{}", index),
                            .address = IpAddress::V4(10, 0, 2, static_cast<uint8_t>(index + 1)),
                            .must_end = true},
                           [this, fibers, requests](io::sim::Machine& machine) {
                             return RunVisitor(machine, fibers, requests);
                           }));
    auto latency = milliseconds{1 + random().Below(40)};
    io::sim::HostId host = visitors_.back()->host();
    for (auto* link : {&world_.fabric().link(host, balancer_host()),
                       &world_.fabric().link(balancer_host(), host)}) {
      *link = {.latency = latency, .jitter = latency / 4};
    }
  }

  io::Task<void> RunVisitor(io::sim::Machine& machine, int fibers, int requests) {
    http::Client client(machine.loop, machine.network,
                        {.address = {BalancerAddress(), kBalancerPort}});
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
    auto fault = static_cast<Fault>(random().Below(kFaults));
    bool inside = random().Chance(0.6);
    uint64_t which = random().Next();
    auto begin = static_cast<uint64_t>(kFaultPhase.count());
    Duration from{random().Below(begin)};
    world_.After(from, [this, fault, inside, which] { Begin(fault, inside, which); });
  }

  // A link between the balancer and an instance, or a visitor.
  void Begin(Fault fault, bool inside, uint64_t which) {
    size_t instance = which % instance_processes_.size();
    io::sim::HostId other = inside ? instance_processes_[instance]->host()
                                   : visitors_[which % visitors_.size()]->host();
    io::sim::Fabric& fabric = world_.fabric();
    std::array<io::sim::Link*, 2> links = {&fabric.link(balancer_host(), other),
                                           &fabric.link(other, balancer_host())};
    world_.Record("faults", "begin", static_cast<uint64_t>(fault), other);
    switch (fault) {
      case Fault::kCut:
        fabric.CutBothWays(balancer_host(), other, true);
        return;
      case Fault::kHalfCut:
        links[which / 8 % 2]->cut = true;
        return;
      case Fault::kLossy:
        for (auto* link : links) link->loss = 0.2;
        return;
      case Fault::kSlow:
        for (auto* link : links) link->bytes_per_second = 20'000;
        return;
      case Fault::kReset:
        fabric.ResetConnections(balancer_host(), other);
        return;
      case Fault::kRefuse:
        fabric.RefuseConnects({InstanceAddress(instance), kInstancePort}, true);
        return;
      case Fault::kCrash:
      case Fault::kMachineCrash:
      case Fault::kBalancerCrash:
        BeginCrash(fault, instance, which / 16 % 16);
        return;
    }
  }

  void BeginCrash(Fault fault, size_t instance, uint64_t turns) {
    io::sim::Process& process =
        fault == Fault::kBalancerCrash ? *balancer_process_ : *instance_processes_[instance];
    process.CrashAfterTurns(turns, fault == Fault::kMachineCrash ? io::sim::CrashKind::kMachine
                                                                 : io::sim::CrashKind::kProcess);
    world_.After(milliseconds{500 + random().Below(1000)}, [&process] { process.Restart(); });
  }

  void Heal() {
    io::sim::Fabric& fabric = world_.fabric();
    for (const auto& process : world_.processes()) {
      for (auto* link : {&fabric.link(balancer_host(), process->host()),
                         &fabric.link(process->host(), balancer_host())}) {
        link->cut = false;
        link->loss = 0;
        link->bytes_per_second = 0;
      }
    }
    for (size_t i = 0; i < instances_.size(); ++i) {
      fabric.RefuseConnects({InstanceAddress(i), kInstancePort}, false);
    }
    for (auto* process : instance_processes_) process->Restart();
    balancer_process_->Restart();
    world_.Record("faults", "healed");
  }

  void CheckThatRequestsSucceed() {
    tally_ = {};
    AddVisitor(kVisitors, 1, kRequestsAfterwards);
    world_.RunToEnd(world_.now() + seconds{60});
    if (tally_.answered == kRequestsAfterwards) return;
    world_.Fail(fmt::format("after the faults {} of {} requests were answered", tally_.answered,
                            kRequestsAfterwards));
  }

  size_t Left() const {
    size_t left = balancer_->in_flight();
    for (const auto& instance : instances_) left += instance->busy();
    return left;
  }

  void CheckThatNothingIsLeft() {
    // A peer whose machine crashed is silent: only a timeout ends the wait for it.
    if (Left() > 0) world_.RunFor(kLongestTimeout);
    if (Left() > 0) world_.Fail(fmt::format("{} requests never ended at the servers", Left()));
  }

  io::sim::World& world_;
  Plans plans_;
  VisitorTally tally_;
  std::unique_ptr<SimBalancer> balancer_;
  io::sim::Process* balancer_process_ = nullptr;
  std::vector<std::unique_ptr<AppInstance>> instances_;
  std::vector<io::sim::Process*> instance_processes_;
  std::vector<io::sim::Process*> visitors_;
};

}  // namespace

Outcome SimulateHttp(uint64_t seed, io::sim::TraceMode trace) {
  io::sim::World world(seed, trace);
  HttpRun run(world);
  run.Run();
  Outcome outcome = OutcomeOf(world);
  world.End();  // before what its processes refer to
  return outcome;
}

}  // namespace meridian::sim
