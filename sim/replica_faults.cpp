#include "sim/replica_faults.hpp"

#include <chrono>
#include <cstdint>
#include <utility>

#include "io/sim/fabric.hpp"
#include "io/sim/process.hpp"
#include "io/sim/world.hpp"
#include "sim/link_faults.hpp"

namespace meridian::sim {
namespace {

using std::chrono::milliseconds;

constexpr uint64_t kSlowBytesPerSecond = 5'000;
constexpr uint64_t kMaxCutMilliseconds = 6000;
constexpr uint64_t kMaxFreeBytes = 5000;  // of a full disk
constexpr uint64_t kMaxIterationsToCrash = 64;
constexpr uint64_t kMinDownMilliseconds = 200;
constexpr uint64_t kMaxDownMilliseconds = 3200;

// Takes a number below `limit` out of `draw`.
uint64_t Take(uint64_t& draw, uint64_t limit) {
  uint64_t taken = draw % limit;
  draw /= limit;
  return taken;
}

}  // namespace

void ReplicaFaults::Begin(uint64_t fault, io::sim::SimProcess& from, io::sim::SimProcess& to,
                          uint64_t draw) {
  world_.Record("faults", "begin", fault, from.host());
  if (fault < kLinkFaults) {
    return BeginOnLink(static_cast<LinkFault>(fault), from.host(), to.host(), draw);
  }
  switch (static_cast<ReplicaFault>(fault)) {
    case ReplicaFault::kFullDisk:
      from.disk().faults.capacity_bytes = from.disk().used_bytes() + Take(draw, kMaxFreeBytes);
      return;
    case ReplicaFault::kCrash:
      return Crash(from, io::sim::CrashKind::kProcess, draw);
    case ReplicaFault::kMachineCrash:
      return Crash(from, io::sim::CrashKind::kMachine, draw);
  }
}

void ReplicaFaults::BeginOnLink(LinkFault fault, io::sim::HostId from, io::sim::HostId to,
                                uint64_t draw) {
  io::sim::Fabric& fabric = world_.fabric();
  if (Take(draw, 2) == 0) std::swap(from, to);
  BeginLinkFault(fabric, fault, {from, to, kSlowBytesPerSecond});
  if (fault != LinkFault::kCut) return;
  // A cut often heals before the others have noticed it for good.
  world_.After(milliseconds{Take(draw, kMaxCutMilliseconds)},
               [&fabric, from, to] { fabric.CutBothWays(from, to, false); });
}

void ReplicaFaults::Crash(io::sim::SimProcess& process, io::sim::CrashKind kind, uint64_t draw) {
  process.CrashAfterIterations(Take(draw, kMaxIterationsToCrash), kind);
  uint64_t down = kMinDownMilliseconds + Take(draw, kMaxDownMilliseconds - kMinDownMilliseconds);
  world_.After(milliseconds{down}, [this, &process] {
    if (may_restart_(process)) process.Restart();
  });
}

void ReplicaFaults::Heal() {
  HealLinks(world_);
  for (const auto& process : world_.processes()) {
    process->disk().faults.capacity_bytes = UINT64_MAX;
    if (may_restart_(*process)) process->Restart();
  }
  world_.Record("faults", "healed");
}

}  // namespace meridian::sim
