// Which instance gets the next request: the less loaded of two that are drawn at random
// (Mitzenmacher 2001), which spreads almost as well as looking at all of them, and unlike "the
// least loaded" does not send every balancer to the same one. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/random.hpp"

namespace meridian::balancer {

struct Candidate {
  uint32_t in_flight = 0;  // requests that it has now
  bool usable = false;     // healthy, and not tried for this request already
};

// The index of the chosen candidate; nothing when none is usable.
std::optional<size_t> Choose(std::span<const Candidate> candidates, Random& random);

}  // namespace meridian::balancer
