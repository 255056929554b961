// The metrics of the host, from a reading: docs/metrics.md describes them. Pure.
#pragma once

#include <vector>

#include "agent/host/host_reading.hpp"
#include "base/metrics.hpp"

namespace meridian::agent {

// Always the same families; a value that is absent from the reading has no series.
std::vector<MetricFamilyReading> HostFamilies(const HostReading& reading);

}  // namespace meridian::agent
