// Settings of the dispatcher, for the edge and the balancer: [balancer] of site.toml.
// docs/site.toml.md says what each key is for; config.cpp describes and reads them.
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
