// The balancer's settings: [balancer] of site.toml.
//
//   [balancer]
//   retries = 2                 # further instances to try, where a failed request may be resent
//   response_timeout = "60s"    # from the request to the head of its answer
//   health_interval = "1s"
//   health_timeout = "2s"
#pragma once

#include "base/clock.hpp"
#include "site/section.hpp"

namespace meridian::balancer {

struct Config {
  int retries = 2;
  Duration response_timeout = std::chrono::seconds{60};
  Duration health_interval = std::chrono::seconds{1};
  Duration health_timeout = std::chrono::seconds{2};
};

site::Section ConfigSection();

}  // namespace meridian::balancer
