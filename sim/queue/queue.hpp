// sim queue with a bug planted in its disk, for the test that the simulation catches it.
#pragma once

#include <cstdint>

#include "io/sim/trace.hpp"
#include "sim/queue/queue_site.hpp"
#include "sim/simulation.hpp"

namespace meridian::sim {

Outcome SimulateQueueWith(uint64_t seed, io::sim::TraceMode trace, PlantedQueueBug bug);

}  // namespace meridian::sim
