#include "dispatch/config.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"
#include "dispatch/limits.hpp"
#include "site/key_description.hpp"
#include "site/load/table_reader.hpp"
#include "site/section.hpp"

namespace meridian::dispatch {
namespace {

constexpr site::KeyDescription kKeys[] = {
    {.table = "balancer", .sentence = "How edge and balancer spread requests over the instances."},
    {.table = "balancer",
     .key = "port",
     .sentence = "The port of the balancer, for its own host; other data centers use the peer "
                 "port, 20000 above."},
    {.table = "balancer",
     .key = "threads",
     .sentence = "The threads that forward requests.",
     .fallback = "`[agent] cores`"},
    {.table = "balancer",
     .key = "retries",
     .sentence =
         "How many further instances a failed request may be sent to, where it may be sent again."},
    {.table = "balancer",
     .key = "retry_budget",
     .sentence = "The share of the requests of the last 10 s that may be sent again."},
    {.table = "balancer",
     .key = "response_timeout",
     .sentence = "The time from a request to the head of its response, all tries together."},
    {.table = "balancer",
     .key = "try_timeout",
     .sentence = "How long an instance may take to respond before a request that may be sent again "
                 "goes to another instance."},
    {.table = "balancer",
     .key = "max_in_flight",
     .sentence = "The requests that one instance works at, of edge and balancer together; further "
                 "requests wait."},
    {.table = "balancer",
     .key = "max_queued",
     .sentence = "The requests that wait for an instance; further requests are refused with 503."},
    {.table = "balancer",
     .key = "queue_timeout",
     .sentence = "How long a request waits for an instance."},
    {.table = "balancer",
     .key = "slow_start",
     .sentence =
         "The time in which the share of a new or returned instance grows to its full share."},
    {.table = "balancer",
     .key = "health_interval",
     .sentence = "The time between two health checks of an instance."},
    {.table = "balancer",
     .key = "health_timeout",
     .sentence = "How long an instance may take to answer a health check."},
    {.table = "balancer",
     .key = "forwarded_from",
     .sentence = "The proxies, besides the site's edges, whose `X-Forwarded-*` fields the balancer "
                 "trusts."},
    {.table = "balancer",
     .key = "underscores",
     .sentence = "Whether the balancer passes fields with `_` in their names, unless they look "
                 "like a field that is acted on."},
};

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

void ParseTries(site::TableReader& reader, Config* config) {
  config->retries = static_cast<int>(reader.Integer(
      "retries",
      {.min = 0, .max = static_cast<int64_t>(kMaxRetries), .fallback = config->retries}));
  config->retry_budget =
      reader.Number("retry_budget", {.min = 0, .max = 1, .fallback = config->retry_budget});
  config->response_timeout = reader.Duration(
      "response_timeout",
      {.min = milliseconds{100}, .max = minutes{60}, .fallback = config->response_timeout});
  config->try_timeout = reader.Duration(
      "try_timeout",
      {.min = milliseconds{10}, .max = minutes{60}, .fallback = config->try_timeout});
}

void ParseQueue(site::TableReader& reader, Config* config) {
  config->max_in_flight = static_cast<uint32_t>(
      reader.Integer("max_in_flight", {.min = 1,
                                       .max = static_cast<int64_t>(kMaxConnectionsPerInstance),
                                       .fallback = config->max_in_flight}));
  config->max_queued = static_cast<size_t>(
      reader.Integer("max_queued", {.min = 0,
                                    .max = static_cast<int64_t>(kMaxQueued),
                                    .fallback = static_cast<int64_t>(config->max_queued)}));
  config->queue_timeout = reader.Duration(
      "queue_timeout",
      {.min = milliseconds{10}, .max = minutes{1}, .fallback = config->queue_timeout});
}

Config Parse(site::TableReader& reader, const site::Site& /*site*/) {
  Config config;
  ParseTries(reader, &config);
  ParseQueue(reader, &config);
  config.slow_start = reader.Duration(
      "slow_start", {.min = Duration::zero(), .max = minutes{10}, .fallback = config.slow_start});
  config.health_interval = reader.Duration(
      "health_interval",
      {.min = milliseconds{100}, .max = minutes{5}, .fallback = config.health_interval});
  config.health_timeout = reader.Duration(
      "health_timeout",
      {.min = milliseconds{10}, .max = minutes{1}, .fallback = config.health_timeout});
  config.forwarded_from = reader.Prefixes("forwarded_from");
  config.underscores = reader.Boolean("underscores", config.underscores);
  return config;
}

}  // namespace

site::Section ConfigSection() { return site::Section::Of<Config>("balancer", &Parse, kKeys); }

}  // namespace meridian::dispatch
