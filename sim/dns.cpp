// sim dns: steering and probes over links that are cut, half cut and lossy, edges that crash, hang
// and drain, and dns servers that restart. Promises: no answer is empty or names a data center that
// the server knows to be out. A bounded time after the last fault every server answers with exactly
// the data centers that it can reach and that are ready. A server changes its decision about a data
// center at most once for each fault on the path to it.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "dns/limits.hpp"
#include "io/sim/process.hpp"
#include "io/sim/trace.hpp"
#include "io/sim/world.hpp"
#include "sim/dns_site.hpp"
#include "sim/simulation.hpp"

namespace meridian::sim {
namespace {

// Faults begin and end within this time, or last until the end.
constexpr Duration kFaultPhase = std::chrono::seconds{9};
constexpr uint64_t kMaxFaults = 4;
// The time until probes detect a change: the first probe may be an interval away, and the last may
// take until its timeout.
constexpr Duration kSettle = dns::kProbeInterval * (dns::kMissesUntilOut + 1) + dns::kProbeTimeout;
// After kSettle no answer may change for this time.
constexpr Duration kQuiet = std::chrono::seconds{3};
// Share of the faults that last until the end.
constexpr double kLasting = 0.3;

class DnsRun {
 public:
  explicit DnsRun(io::sim::World& world)
      : world_(world), site_(world), faults_(site_.size(), std::vector<uint64_t>(site_.size())) {}

  void Run() {
    uint64_t count = 1 + random().Below(kMaxFaults);
    for (uint64_t i = 0; i < count; ++i) PlanFault();
    world_.RunFor(kFaultPhase + kSettle);
    CheckSettled();
    auto changes = Changes();
    world_.RunFor(kQuiet);
    CheckSettled();
    if (Changes() != changes) world_.Fail("answers changed without a fault");
    CheckNoFlapping();
  }

 private:
  enum class Fault : uint8_t {
    kCut,
    kHalfCutThere,
    kHalfCutBack,
    kLossy,
    kReset,
    kEdgeCrash,
    kEdgeMachineCrash,
    kNotReady,
    kDrain,
    kDnsCrash,
  };
  static constexpr uint64_t kFaults = 10;

  Random& random() { return world_.random(); }

  // Faults on one path must not undo each other: the one that begins last ends last.
  void PlanFault() {
    auto fault = static_cast<Fault>(random().Below(kFaults));
    size_t dns = random().Below(site_.size());
    size_t edge = random().Below(site_.size());
    Duration begin{random().Below(static_cast<uint64_t>(kFaultPhase.count()))};
    Duration end{random().Below(static_cast<uint64_t>((kFaultPhase - begin).count()))};
    bool lasts = random().Chance(kLasting);
    world_.After(begin, [this, fault, dns, edge] { Set(fault, dns, edge, true); });
    if (lasts) return;
    world_.After(begin + end, [this, fault, dns, edge] { Set(fault, dns, edge, false); });
  }

  // Begins or ends a fault.
  void Set(Fault fault, size_t dns, size_t edge, bool on) {
    world_.Record("faults", on ? "begin" : "end", static_cast<uint64_t>(fault), dns * 10 + edge);
    switch (fault) {
      case Fault::kCut:
        site_.to_edge(dns, edge).cut = on;
        [[fallthrough]];
      case Fault::kHalfCutBack:
        site_.from_edge(dns, edge).cut = on;
        CountForPath(dns, edge);
        return;
      case Fault::kHalfCutThere:
        site_.to_edge(dns, edge).cut = on;
        CountForPath(dns, edge);
        return;
      case Fault::kLossy:
        // Slow and lossy, but reachable: no server may leave it out.
        site_.to_edge(dns, edge).loss = site_.from_edge(dns, edge).loss = on ? 0.02 : 0;
        return;
      case Fault::kReset:
        world_.fabric().ResetConnections(site_.at(dns).dns->host(), site_.at(edge).edge->host());
        return;
      case Fault::kEdgeCrash:
      case Fault::kEdgeMachineCrash:
      case Fault::kNotReady:
      case Fault::kDrain:
        SetEdge(fault, edge, on);
        CountForEdge(edge);
        return;
      case Fault::kDnsCrash:
        SetUp(*site_.at(dns).dns, io::sim::CrashKind::kProcess, !on);
        CountForServer(dns);
        return;
    }
  }

  void SetEdge(Fault fault, size_t edge, bool on) {
    if (fault == Fault::kDrain) {
      site_.SetDrained(edge, on);
    } else if (fault == Fault::kNotReady) {
      site_.at(edge).ready = !on;
    } else {
      auto kind =
          fault == Fault::kEdgeCrash ? io::sim::CrashKind::kProcess : io::sim::CrashKind::kMachine;
      SetUp(*site_.at(edge).edge, kind, !on);
    }
  }

  static void SetUp(io::sim::SimProcess& process, io::sim::CrashKind kind, bool up) {
    if (up) {
      process.Restart();
    } else {
      process.Crash(kind);
    }
  }

  void CountForPath(size_t dns, size_t edge) { ++faults_[dns][edge]; }
  void CountForEdge(size_t edge) {
    for (size_t dns = 0; dns < site_.size(); ++dns) CountForPath(dns, edge);
  }
  // A restarted server takes all data centers for serving until its probes report.
  void CountForServer(size_t dns) {
    for (size_t edge = 0; edge < site_.size(); ++edge) CountForPath(dns, edge);
  }

  void CheckSettled() {
    for (size_t dns = 0; dns < site_.size(); ++dns) {
      if (!site_.at(dns).server->running()) continue;
      for (size_t edge = 0; edge < site_.size(); ++edge) {
        bool serving = site_.at(dns).server->serving(edge);
        if (serving == site_.MustServe(dns, edge)) continue;
        world_.Fail(fmt::format("dns-{} still {} dc-{}, long after the last fault", dns,
                                serving ? "answers with" : "leaves out", edge));
      }
    }
  }

  std::vector<uint64_t> Changes() {
    std::vector<uint64_t> changes;
    for (size_t dns = 0; dns < site_.size(); ++dns) {
      for (size_t edge = 0; edge < site_.size(); ++edge) {
        changes.push_back(site_.at(dns).server->changes(edge));
      }
    }
    return changes;
  }

  void CheckNoFlapping() {
    for (size_t dns = 0; dns < site_.size(); ++dns) {
      for (size_t edge = 0; edge < site_.size(); ++edge) {
        uint64_t changes = site_.at(dns).server->changes(edge);
        if (changes <= faults_[dns][edge]) continue;
        world_.Fail(fmt::format("dns-{} changed its mind about dc-{} {} times for {} faults", dns,
                                edge, changes, faults_[dns][edge]));
      }
    }
  }

  io::sim::World& world_;
  DnsSite site_;
  std::vector<std::vector<uint64_t>>
      faults_;  // number of begins and ends on each path, [dns][edge]
};

}  // namespace

Outcome SimulateDns(uint64_t seed, io::sim::TraceMode trace) {
  io::sim::World world(seed, trace);
  DnsRun run(world);
  run.Run();
  Outcome outcome = OutcomeOf(world);
  world.End();  // before the objects that its processes refer to
  return outcome;
}

}  // namespace meridian::sim
