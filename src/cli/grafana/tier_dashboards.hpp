// What the dashboard of each tier shows.
#pragma once

#include <vector>

#include "cli/grafana/dashboard.hpp"

namespace meridian::cli {

std::vector<Dashboard> TierDashboards();

}  // namespace meridian::cli
