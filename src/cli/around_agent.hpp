// Determines the status of a data center whose agent does not answer, by asking its tiers: they
// continue to serve while the agent is stopped.
#pragma once

#include "agent/report/status.hpp"
#include "io/loop.hpp"
#include "io/net/network.hpp"
#include "io/task.hpp"
#include "site/site.hpp"

namespace meridian::cli {

// Does not change `status` (DownStatus) if the agent's admin port refuses connections. Else sets
// the state to "serving" if the edge is ready, or "unknown"; and if ops ports are reachable from
// here, sets the states of tiers.
io::Task<void> AskAroundAgent(io::Loop& loop, io::Network& network, const site::Site& site,
                              const site::DataCenter& dc, agent::DataCenterStatus* status);

}  // namespace meridian::cli
