// How an instance's max_in_flight is divided between the edge and the balancer of its data center,
// which both send it requests. A bound for each, fixed: the sum holds whatever becomes of either
// process, and neither asks the other. Most requests are the own edge's; the balancer's come from
// the edges of other data centers, mostly while theirs have no instance. Pure.
#pragma once

#include <algorithm>
#include <cstdint>

namespace meridian::dispatch {

struct Shares {
  uint32_t edge = 0;  // 0: too little to divide, so the edge sends its requests by the balancer
  uint32_t balancer = 0;
};

constexpr uint32_t kBalancerPart = 4;  // one in so many, and at least one

constexpr Shares DivideInFlight(uint32_t max_in_flight) {
  uint32_t balancer = std::max(max_in_flight / kBalancerPart, 1U);
  return {.edge = max_in_flight - std::min(balancer, max_in_flight), .balancer = balancer};
}

}  // namespace meridian::dispatch
