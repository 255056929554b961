// Faults of links between machines of a simulated world, shared by all simulations.
#pragma once

#include <cstdint>

#include "io/sim/fabric.hpp"
#include "io/sim/world.hpp"

namespace meridian::sim {

enum class LinkFault : uint8_t {
  kCut,      // both ways
  kHalfCut,  // from the first host to the second
  kLossy,    // both ways
  kSlow,     // both ways
  kReset,    // resets all connections between the two hosts; no lasting effect
};
inline constexpr uint64_t kLinkFaults = 5;

struct LinkEnds {
  io::sim::HostId from;
  io::sim::HostId to;
  uint64_t slow_bytes_per_second = 0;  // rate of a slow link
};

// Begins a fault, which lasts until HealLinks.
void BeginLinkFault(io::sim::Fabric& fabric, LinkFault fault, const LinkEnds& ends);

// Ends the faults on the links between all processes of `world`.
void HealLinks(io::sim::World& world);

}  // namespace meridian::sim
