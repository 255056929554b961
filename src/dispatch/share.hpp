// Divides an instance's max_in_flight between the edge and the balancer of its data center, which
// both send it requests. Each has a fixed bound, so the sum holds though the two processes do not
// coordinate, and whichever of them dies. Most requests come from the data center's own edge; the
// balancer's come from the edges of other data centers, mostly while those have no instance. Pure.
#pragma once

#include <algorithm>
#include <cstdint>

namespace meridian::dispatch {

struct Shares {
  uint32_t edge = 0;  // 0: too little to divide; the edge sends its requests to the balancer
  uint32_t balancer = 0;
};

constexpr uint32_t kBalancerPart = 4;  // the balancer gets a quarter, at least 1

constexpr Shares DivideInFlight(uint32_t max_in_flight) {
  uint32_t balancer = std::max(max_in_flight / kBalancerPart, 1U);
  return {.edge = max_in_flight - std::min(balancer, max_in_flight), .balancer = balancer};
}

}  // namespace meridian::dispatch
