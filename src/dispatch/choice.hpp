// Which instance gets the next request: the less loaded of two that are drawn at random
// (Mitzenmacher 2001), which spreads almost as well as looking at all of them, and unlike "the
// least loaded" does not send every balancer to the same one. An instance that starts slowly has a
// weight below 1: it is drawn less often, and what it has to do weighs more. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/random.hpp"

namespace meridian::dispatch {

struct Candidate {
  uint32_t in_flight = 0;  // requests that it has now
  bool usable = false;     // it may get this request
  double weight = 1;       // in (0, 1]
};

// The index of the chosen candidate; nothing when none is usable.
std::optional<size_t> Choose(std::span<const Candidate> candidates, Random& random);

}  // namespace meridian::dispatch
