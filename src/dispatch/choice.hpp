// Chooses the instance for the next request: draws two at random and takes the less loaded
// (Mitzenmacher 2001). That spreads requests almost as well as comparing all instances, and several
// dispatchers do not all choose the same least loaded instance. An instance in slow start has a
// weight below 1: it is drawn less often, and its load counts for more. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/random.hpp"

namespace meridian::dispatch {

struct Candidate {
  uint32_t in_flight = 0;  // requests that it has now
  bool usable = false;     // may get this request
  double weight = 1;       // in (0, 1]
};

// The index of the chosen candidate; nothing when none is usable.
std::optional<size_t> Choose(std::span<const Candidate> candidates, Random& random);

}  // namespace meridian::dispatch
