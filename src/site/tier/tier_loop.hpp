// TierLoop: one loop of a tier's process, with what belongs to it. Index 0 is the process's main
// loop; each other loop has a thread of its own. Owned by the TierProcess. The references may be
// taken on any thread; what they refer to is used on the loop's thread alone.
#pragma once

#include <cstddef>

#include "base/metrics.hpp"
#include "io/epoll.hpp"
#include "io/loop.hpp"
#include "io/net/socket.hpp"
#include "io/scope.hpp"

namespace meridian::site {

struct TierLoop {
  size_t index;
  io::EpollDriver& driver;
  io::Loop& loop;
  io::SystemNetwork& network;
  Metrics& metrics;  // the loop's part of the process's metrics
  io::Scope& scope;  // for the tier's fibers; cancelled when the process ends
};

}  // namespace meridian::site
