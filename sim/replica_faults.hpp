// Faults of machines that each hold a copy of a state: of the links between them, of their disks,
// and crashes. The same for the simulations of the store and of the session tier.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "io/sim/process.hpp"
#include "io/sim/world.hpp"
#include "sim/link_faults.hpp"

namespace meridian::sim {

// First those of links, in the order of LinkFault.
enum class ReplicaFault : uint8_t {
  kFullDisk = kLinkFaults,  // of `from`
  kCrash,                   // of the process of `from`
  kMachineCrash,            // with what its disk had not synced
};
inline constexpr uint64_t kReplicaFaults = kLinkFaults + 3;

class ReplicaFaults {
 public:
  // `may_restart`: whether a process that crashed, or is healed, is started again.
  ReplicaFaults(io::sim::World& world,
                std::function<bool(const io::sim::SimProcess& process)> may_restart)
      : world_(world), may_restart_(std::move(may_restart)) {}

  // Begins the fault of that number, below kReplicaFaults, on the link between two processes or on
  // the first of them. `draw` decides the details.
  void Begin(uint64_t fault, io::sim::SimProcess& from, io::sim::SimProcess& to, uint64_t draw);
  // Ends all faults.
  void Heal();

 private:
  void BeginOnLink(LinkFault fault, io::sim::HostId from, io::sim::HostId to, uint64_t draw);
  void Crash(io::sim::SimProcess& process, io::sim::CrashKind kind, uint64_t draw);

  io::sim::World& world_;
  std::function<bool(const io::sim::SimProcess&)> may_restart_;
};

}  // namespace meridian::sim
