// When to stop believing our own evidence. Where almost every instance that the agent calls healthy
// looks ill from here, it is likelier that the evidence is wrong (a health path that depends on
// something else, a stall of this machine), and the few that are left would be overrun: then the
// requests are spread over all of them. Pure.
#pragma once

#include <cstddef>

namespace meridian::dispatch {

// Fewer than one in kPanicShare: for up to five instances, none.
constexpr size_t kPanicShare = 5;

// `running`: instances that the agent calls healthy and that something listens on; `in` of them
// get requests.
constexpr bool IsPanic(size_t running, size_t in) { return in * kPanicShare < running; }

}  // namespace meridian::dispatch
