// Instance: an instance of the application as a dispatcher sees it: connections, health, requests
// in flight. The dispatcher and the requests in flight share it, so an instance that has left the
// view is destroyed with its last request. One thread: the loop's.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "dispatch/config.hpp"
#include "dispatch/health.hpp"
#include "dispatch/instance_metrics.hpp"
#include "dispatch/limits.hpp"
#include "http/client/client.hpp"
#include "site/view/view.hpp"

namespace meridian::dispatch {

struct Instance {
  Instance(io::Loop& loop, io::Network& network, const site::InstanceView& view,
           const Config& config, InstanceSeries series)
      : id(view.id),
        release(view.release),
        address(view.address),
        client(loop, network, {.address = view.address}, Limits(config)),
        counted(std::move(series)) {}

  static http::ClientLimits Limits(const Config& config) {
    http::ClientLimits limits;
    limits.max_connections = limits.max_idle = config.max_in_flight;
    limits.connect_timeout = std::min(kConnectTimeout, config.try_timeout);
    limits.head_timeout = config.response_timeout;
    return limits;
  }

  std::string id;
  std::string release;
  Endpoint address;
  http::Client client;
  InstanceHealth health;
  InstanceSeries counted;
  uint32_t in_flight = 0;       // from the choice of the instance until the try is over
  bool leaving = false;         // draining: finishes its requests and gets no more
  bool removed = false;         // no longer in the view
  bool logged_failing = false;  // the log has a line about its failing tries
};

}  // namespace meridian::dispatch
