// How requests are given to instances: [balancer] of site.toml, of the edge and the balancer alike.
//
//   [balancer]
//   retries = 2                 # further instances to try, where a failed request may be resent
//   retry_budget = 0.2          # of the requests of the last 10 s, how many may be sent again
//   response_timeout = "60s"    # from the request to the head of its answer, all tries together
//   try_timeout = "10s"         # after that a request that may be resent goes to another instance
//   max_in_flight = 1024        # requests at one instance, of edge and balancer together; above,
//                               # they wait
//   max_queued = 1024           # requests that wait for an instance; above, they are refused
//   queue_timeout = "5s"        # how long they wait
//   slow_start = "10s"          # until a new or returned instance has its full share
//   health_interval = "1s"
//   health_timeout = "2s"
//   forwarded_from = ["192.0.2.0/24"]  # whom the balancer believes, beside the site's edges, what
//                               # they say of the visitor in X-Forwarded-*; nobody by default
//   underscores = false         # whether the balancer passes other senders' fields with _ in their
//                               # names, where they look like nothing that is acted on
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "site/section.hpp"

namespace meridian::dispatch {

struct Config {
  int retries = 2;
  double retry_budget = 0.2;
  Duration response_timeout = std::chrono::seconds{60};
  Duration try_timeout = std::chrono::seconds{10};
  uint32_t max_in_flight = 1024;
  size_t max_queued = 1024;
  Duration queue_timeout = std::chrono::seconds{5};
  Duration slow_start = std::chrono::seconds{10};
  Duration health_interval = std::chrono::seconds{1};
  Duration health_timeout = std::chrono::seconds{2};
  std::vector<IpPrefix> forwarded_from;
  bool underscores = false;
};

site::Section ConfigSection();

}  // namespace meridian::dispatch
