// Instance: an instance of the application as one loop of a dispatcher's process sees it: its
// connections and metrics. What all loops share of it is its SharedInstance. The loop and its
// requests in flight own it, so an instance that has left the view is destroyed with its last
// request. One thread: the loop's.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "dispatch/config.hpp"
#include "dispatch/instance_metrics.hpp"
#include "dispatch/limits.hpp"
#include "dispatch/shared_instance.hpp"
#include "http/client/client.hpp"

namespace meridian::dispatch {

struct Instance {
  Instance(io::Loop& loop, io::Network& network, std::shared_ptr<SharedInstance> of,
           std::shared_ptr<LoopTally> tallied, const Config& config)
      : shared(std::move(of)),
        id(shared->id),
        client(loop, network, {.address = shared->address}, Limits(config)),
        tally(std::move(tallied)) {}

  // Each loop may have all connections: the roster bounds their requests together.
  static http::ClientLimits Limits(const Config& config) {
    http::ClientLimits limits;
    limits.max_connections = limits.max_idle = config.max_in_flight;
    limits.connect_timeout = std::min(kConnectTimeout, config.try_timeout);
    limits.head_timeout = config.response_timeout;
    return limits;
  }

  const std::shared_ptr<SharedInstance> shared;
  const std::string& id;
  http::Client client;
  std::string release;
  InstanceSeries counted;
  const std::shared_ptr<LoopTally> tally;
  uint32_t seen_resets = 0;  // of shared->resets
};

}  // namespace meridian::dispatch
