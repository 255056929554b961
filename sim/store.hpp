// sim store with a bug planted in its disks, for the test that the simulation catches it.
#pragma once

#include <cstdint>

#include "io/sim/trace.hpp"
#include "sim/simulation.hpp"
#include "sim/store_site.hpp"

namespace meridian::sim {

Outcome SimulateStoreWith(uint64_t seed, io::sim::TraceMode trace, PlantedBug bug);

}  // namespace meridian::sim
