// sim session with a planted bug, for the test that the simulation catches it.
#pragma once

#include <cstdint>

#include "io/sim/trace.hpp"
#include "sim/session_replica.hpp"
#include "sim/simulation.hpp"

namespace meridian::sim {

Outcome SimulateSessionWith(uint64_t seed, io::sim::TraceMode trace, SessionBug bug);

}  // namespace meridian::sim
