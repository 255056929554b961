// `sim coordinator`, and with clocks that differ more than the terms allow.
#pragma once

#include <cstdint>

#include "io/sim/trace.hpp"
#include "sim/simulation.hpp"

namespace meridian::sim {

// The clocks of candidates are up to `drift_ppm` parts per million too fast or too slow.
Outcome SimulateCoordinatorWith(uint64_t seed, io::sim::TraceMode trace, int64_t drift_ppm);

}  // namespace meridian::sim
