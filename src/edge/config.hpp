// The edge's settings: [edge] of site.toml.
//
//   [edge]
//   response_timeout = "75s"              # from the request to the head of its answer
//   max_body_bytes = 1073741824           # of a request
//   max_connections = 10000
//   cache_bytes = "256MiB"                # of memory, for all that the cache holds
//   max_object_bytes = "64MiB"            # of one response's body
//   heuristics = false                    # whether responses that do not say for how long are kept
//   debug_from = ["192.0.2.0/24"]         # who may ask for Meridian-Path, beside loopback
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "site/section.hpp"

namespace meridian::edge {

struct CacheSettings {
  uint64_t bytes = uint64_t{256} << 20;
  uint64_t max_object_bytes = uint64_t{64} << 20;
  bool heuristics = false;
};

struct Config {
  // Longer than the balancer's, which then has the better word on what went wrong.
  Duration response_timeout = std::chrono::seconds{75};
  uint64_t max_body_bytes = uint64_t{1} << 30;
  size_t max_connections = 10'000;
  CacheSettings cache;
  std::vector<IpPrefix> debug_from;
};

site::Section ConfigSection();

}  // namespace meridian::edge
