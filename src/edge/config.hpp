// The edge's settings: [edge] of site.toml.
//
//   [edge]
//   response_timeout = "75s"              # from the request to the head of its answer; of an
//                                         # instance here [balancer]'s, where that is shorter
//   max_body_bytes = 1073741824           # of a request
//   max_connections = 10000
//   cache_bytes = "256MiB"                # of memory, for all that the cache holds
//   max_object_bytes = "64MiB"            # of one response's body
//   heuristics = false                    # whether responses that do not say for how long are kept
//   store_errors = true                   # whether 5xx answers that say how long they are fresh
//   are
//                                         # stored
//   store_set_cookie = false              # whether answers with Set-Cookie are stored, cookie and
//                                         # all, where they are public or have s-maxage
//   stale_on_failure = "1h"               # for how long after its lifetime a response stands in
//   for
//                                         # an origin that does not answer, or by 502, 503 or 504
//   debug_from = ["192.0.2.0/24"]         # who may ask for Meridian-Path, beside loopback
//   cdn_paths = ["/images/"]              # what cdn.<domain> serves: paths, or, with / at the
//                                         # end, all below; /assets/, /images/ and /static/ unless
//                                         # it says so
//   versions = true                       # whether /v/VERSION/path is the edge's, or whatever the
//                                         # application has there
//   underscores = false                   # whether fields with _ in their names pass, where they
//                                         # look like nothing that the edge or frameworks act on
//   purge_from = ["192.0.2.0/24"]         # who may PURGE a URL; nobody unless it says so
//   isolated = "serve"                    # while no other data center's purges are heard; or
//                                         # "revalidate": whatever is stored is asked for anew
//   access_log = "1%"                     # which requests have a line in the access log: "all",
//                                         # "errors" (4xx, 5xx, broken off), "off", or errors and a
//                                         # share of the others; "all" in the lab, else "1%"
//   redirect_http = false                 # visitors without TLS are sent to HTTPS (308)
//
//   [[edge.certificate]]                  # beside the site's own, for the names that are in it
//   certificate = "photos.pem"            # PEM with its chain, relative to site.toml; a new one
//   key = "photos.key"                    # is taken up within 30 s
//
//   [edge.cost]                           # what `meridian cdn report` reckons with; 0 unless it
//   currency = "USD"                      # says so
//   per_gb_to_visitors = 0.085            # of 10^9 bytes
//   per_gb_from_origin = 0.02
//   per_gb_between = 0.02                 # from one data center to another
//   per_million_requests = 0.75           # of visitors
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
  // Longer than the balancer's, which then has the better word on what went wrong.
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
  std::optional<AccessRule> access_log;  // nothing: by where it runs
  std::vector<Certificate> certificates;
  Prices prices;
};

site::Section ConfigSection();

}  // namespace meridian::edge
