// The edge's settings: [edge] of site.toml. docs/site.toml.md explains each key; config.cpp
// describes and reads them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "edge/visitors/access_rule.hpp"
#include "site/section.hpp"

namespace meridian::edge {

struct Certificate {
  std::string certificate_path;
  std::string key_path;
};

struct CacheSettings {
  uint64_t bytes = uint64_t{256} << 20;
  uint64_t max_object_bytes = uint64_t{64} << 20;
  bool heuristics = false;
  bool store_errors = true;
  bool store_set_cookie = false;
  Duration stale_on_failure = std::chrono::hours{1};
};

struct Prices {
  std::string currency = "USD";
  double per_gb_to_visitors = 0;
  double per_gb_from_origin = 0;
  double per_gb_between = 0;
  double per_million_requests = 0;

  bool operator==(const Prices&) const = default;
};

struct Config {
  // Longer than the balancer's, so that the balancer times out first: its error is more precise.
  Duration response_timeout = std::chrono::seconds{75};
  uint64_t max_body_bytes = uint64_t{1} << 30;
  size_t max_connections = 10'000;
  CacheSettings cache;
  std::vector<IpPrefix> debug_from;
  std::vector<std::string> cdn_paths = {"/assets/", "/images/", "/static/"};
  bool versions = true;
  bool underscores = false;
  std::vector<IpPrefix> purge_from;
  bool revalidate_when_isolated = false;
  bool redirect_http = false;
  std::optional<AccessRule> access_log;  // nothing: DefaultAccessRule
  std::vector<Certificate> certificates;
  Prices prices;
};

site::Section ConfigSection();

}  // namespace meridian::edge
