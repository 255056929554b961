// Panic mode: when health checks and ejections are ignored. If nearly all instances that the agent
// calls healthy look unhealthy to this process, the evidence is probably wrong (a health path that
// depends on something else, a stall of this machine), and the few instances left would be
// overloaded. Requests are then spread over all instances. Pure.
#pragma once

#include <cstddef>

namespace meridian::dispatch {

// Panic begins when fewer than one in kPanicShare instances are in; with up to five: none.
constexpr size_t kPanicShare = 5;

// `running`: instances that the agent calls healthy and that something listens on; `in` of them
// get requests.
constexpr bool IsPanic(size_t running, size_t in) { return in * kPanicShare < running; }

}  // namespace meridian::dispatch
