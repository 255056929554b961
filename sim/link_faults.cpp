#include "sim/link_faults.hpp"

#include "io/sim/fabric.hpp"
#include "io/sim/process.hpp"
#include "io/sim/world.hpp"

namespace meridian::sim {
namespace {

constexpr double kLoss = 0.2;

}  // namespace

void BeginLinkFault(io::sim::Fabric& fabric, LinkFault fault, const LinkEnds& ends) {
  io::sim::Link& there = fabric.link(ends.from, ends.to);
  io::sim::Link& back = fabric.link(ends.to, ends.from);
  switch (fault) {
    case LinkFault::kCut:
      fabric.CutBothWays(ends.from, ends.to, true);
      return;
    case LinkFault::kHalfCut:
      there.cut = true;
      return;
    case LinkFault::kLossy:
      there.loss = back.loss = kLoss;
      return;
    case LinkFault::kSlow:
      there.bytes_per_second = back.bytes_per_second = ends.slow_bytes_per_second;
      return;
    case LinkFault::kReset:
      fabric.ResetConnections(ends.from, ends.to);
      return;
  }
}

void HealLinks(io::sim::World& world) {
  for (const auto& from : world.processes()) {
    for (const auto& to : world.processes()) {
      if (from == to) continue;
      io::sim::Link& link = world.fabric().link(from->host(), to->host());
      link.cut = false;
      link.loss = 0;
      link.bytes_per_second = 0;
    }
  }
}

}  // namespace meridian::sim
