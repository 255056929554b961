// sim queue: the queue's engine on one machine, with producers that send again what was not
// answered, readers, groups and an admin, under crashes at any await, lost and torn writes, full
// disks, and segment files that lose bytes. Promises: an acknowledged record is there once, at its
// offset, in its producer's order. An offset that a reader saw never holds another record. Nothing
// is removed but what was to be removed. Committed offsets and topics are not lost. No crash looks
// like damage. Damaged batches are not handed out once they were checked, reading them fails, and
// nothing else does; the damage is reported. Once the faults are over, all that was sent is
// acknowledged.
#include "sim/queue/queue.hpp"

#include <chrono>
#include <cstdint>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/random.hpp"
#include "io/sim/process.hpp"
#include "io/sim/trace.hpp"
#include "io/sim/world.hpp"
#include "sim/queue/queue_site.hpp"
#include "sim/simulation.hpp"

namespace meridian::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kFaultPhase = seconds{4};
constexpr uint64_t kMaxFaults = 8;
constexpr Duration kWriteOn = seconds{1};
// An append that found the disk full is tried again for so long.
constexpr Duration kSettle = seconds{20};
constexpr Duration kTick = milliseconds{100};
constexpr uint64_t kMaxIterationsToCrash = 64;
constexpr uint64_t kMaxDownMilliseconds = 500;
constexpr uint64_t kMaxFullMilliseconds = 2000;
constexpr uint64_t kMaxFreeBytes = 5000;  // of a full disk

class QueueRun {
 public:
  QueueRun(io::sim::World& world, PlantedQueueBug bug)
      : world_(world),
        node_(world, bug),
        process_(world.AddProcess(
            {.name = "queue", .address = IpAddress::V4(10, 0, 0, 1), .drift_ppm = 100},
            [this](io::sim::Machine& machine) { return node_.Run(machine); })) {}

  void Run() {
    uint64_t faults = random().Below(kMaxFaults + 1);
    for (uint64_t i = 0; i < faults; ++i) {
      world_.After(Duration{random().Below(static_cast<uint64_t>(kFaultPhase.count()))},
                   [this] { BeginFault(); });
    }
    world_.RunFor(kFaultPhase);
    EndFullDisk();
    world_.RunFor(kWriteOn);
    node_.StopWriting();
    RunUntilSettled();
    if (!node_.settled()) world_.Fail("records are not acknowledged after the faults");
    // What the last life has written is checked by one more.
    process_.Crash(io::sim::CrashKind::kMachine);
    process_.Restart();
    world_.RunFor(kTick);
    RunUntilSettled();
    for (int i = 0; i < 100 && !node_.checked() && !world_.failure(); ++i) world_.RunFor(kTick);
    if (!node_.settled() || node_.seen() == 0 || !node_.checked()) {
      world_.Fail("the queue does not start in time");
    }
  }

 private:
  Random& random() { return world_.random(); }

  void RunUntilSettled() {
    TimePoint deadline = world_.now() + kSettle;
    while (!node_.settled() && !world_.failure() && world_.now() < deadline) world_.RunFor(kTick);
  }

  void BeginFault() {
    switch (random().Below(4)) {
      case 0:
        return Crash(io::sim::CrashKind::kProcess);
      case 1:
        return Crash(io::sim::CrashKind::kMachine);
      case 2:
        return node_.Damage(process_.disk());
      default:
        process_.disk().faults.capacity_bytes =
            process_.disk().used_bytes() + random().Below(kMaxFreeBytes);
        world_.After(milliseconds{random().Below(kMaxFullMilliseconds)}, [this] { EndFullDisk(); });
    }
  }

  void Crash(io::sim::CrashKind kind) {
    process_.CrashAfterIterations(random().Below(kMaxIterationsToCrash), kind);
    world_.After(milliseconds{100 + random().Below(kMaxDownMilliseconds)},
                 [this] { process_.Restart(); });
  }

  void EndFullDisk() { process_.disk().faults.capacity_bytes = UINT64_MAX; }

  io::sim::World& world_;
  QueueNode node_;
  io::sim::SimProcess& process_;
};

}  // namespace

Outcome SimulateQueueWith(uint64_t seed, io::sim::TraceMode trace, PlantedQueueBug bug) {
  io::sim::World world(seed, trace);
  QueueRun run(world, bug);
  run.Run();
  Outcome outcome = OutcomeOf(world);
  world.End();  // before the objects that its process refers to
  return outcome;
}

Outcome SimulateQueue(uint64_t seed, io::sim::TraceMode trace) {
  return SimulateQueueWith(seed, trace, PlantedQueueBug::kNone);
}

}  // namespace meridian::sim
