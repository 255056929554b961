// What can be known of a data center whose agent does not answer: a stopped agent leaves its tiers
// serving, and they say so themselves.
#pragma once

#include "agent/report/status.hpp"
#include "io/loop.hpp"
#include "io/net/network.hpp"
#include "io/task.hpp"
#include "site/site.hpp"

namespace meridian::cli {

// Leaves `status` (DownStatus) alone when nobody accepts connections at the agent's admin port.
// Else: "serving" when the edge says so, "unknown" when it does not; and, where ops ports can be
// reached from here, which tiers say that they are ready.
io::Task<void> AskAroundAgent(io::Loop& loop, io::Network& network, const site::Site& site,
                              const site::DataCenter& dc, agent::DataCenterStatus* status);

}  // namespace meridian::cli
