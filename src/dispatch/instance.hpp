// Instance: an instance of the application as one loop of a dispatcher's process sees it: its
// connections and metrics. What all loops share of it is its SharedInstance. The loop and its
// requests in flight own it, so an instance that has left the view is destroyed with its last
// request. One thread: the loop's.
//
// Invariant: `held` is at least `users`, and at least the number of connections that `client` has
// or opens. The client opens a connection only for a request that finds none idle, so it never has
// more than it has had before, or users.
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
#include "io/wait_queue.hpp"

namespace meridian::dispatch {

struct Instance {
  Instance(io::Loop& loop, io::Network& network, std::shared_ptr<SharedInstance> of,
           std::shared_ptr<LoopCounts> counts_of_loop, const Config& config)
      : shared(std::move(of)),
        id(shared->id),
        client(loop, network, {.address = shared->address}, Limits(config)),
        counts(std::move(counts_of_loop)) {}

  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;
  ~Instance() { shared->connections.fetch_sub(held); }

  // A loop may have all connections: SharedInstance::connections bounds those of all loops.
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
  const std::shared_ptr<LoopCounts> counts;
  uint32_t seen_resets = 0;       // of shared->resets
  bool listed = false;            // it is one of the loop's list
  uint32_t held = 0;              // this loop's part of shared->connections
  uint32_t users = 0;             // requests that may use or open a connection
  io::WaitQueue connecting = {};  // requests that wait to become users
};

}  // namespace meridian::dispatch
