#include "cli/grafana/tier_dashboards.hpp"

#include <vector>

#include "cli/grafana/dashboard.hpp"

namespace meridian::cli {
namespace {

Dashboard Dns() {
  return {
      .name = "dns",
      .title = "Meridian: dns",
      .rows = {
          {.title = "Queries",
           .panels = {
               {.title = "Queries by result",
                .unit = "ops",
                .queries =
                    {{R"(sum by (result) (rate(meridian_dns_queries_total{dc=~"$dc"}[$__rate_interval])))",
                      "{{result}}"}}},
               {.title = "Time to answer",
                .unit = "s",
                .queries =
                    {{R"(histogram_quantile(0.99, sum by (dc, le) (rate(meridian_dns_query_duration_seconds_bucket{dc=~"$dc"}[$__rate_interval]))))",
                      "{{dc}} p99"}}},
               {.title = "Data centers in the answers",
                .unit = "short",
                .queries = {{R"(meridian_dns_datacenter_serving{dc=~"$dc"})",
                             "{{datacenter}} by {{dc}}"}}},
               {.title = "Probes that failed",
                .unit = "ops",
                .queries =
                    {{R"(sum by (dc, datacenter) (rate(meridian_dns_probes_total{dc=~"$dc",result="miss"}[$__rate_interval])))",
                      "{{datacenter}} by {{dc}}"}}},
               {.title = "Share of its clients that a data center keeps",
                .unit = "percentunit",
                .queries = {{R"(min by (datacenter) (meridian_dns_kept_ratio{dc=~"$dc"}))",
                             "{{datacenter}}"}}},
               {.title = "TCP connections",
                .unit = "short",
                .queries = {{R"(meridian_dns_tcp_connections{dc=~"$dc"})", "{{dc}}"}}}}}}};
}

Row EdgeVisitorsRow() {
  return {
      .title = "Visitors",
      .panels = {
          {.title = "Responses by class",
           .unit = "reqps",
           .queries =
               {{R"(sum by (code) (rate(meridian_edge_visitor_responses_total{dc=~"$dc"}[$__rate_interval])))",
                 "{{code}}"}}},
          {.title = "Responses by origin",
           .unit = "reqps",
           .queries =
               {{R"(sum by (result) (rate(meridian_edge_visitor_responses_total{dc=~"$dc"}[$__rate_interval])))",
                 "{{result}}"}}},
          {.title = "p99 by origin",
           .unit = "s",
           .queries =
               {{R"(histogram_quantile(0.99, sum by (result, le) (rate(meridian_edge_visitor_duration_seconds_bucket{dc=~"$dc"}[$__rate_interval]))))",
                 "{{result}}"}}},
          {.title = "Connections",
           .unit = "short",
           .queries = {{R"(sum by (dc) (meridian_edge_connections_open{dc=~"$dc"}))", "{{dc}}"}}}}};
}

Row EdgeCacheRow() {
  return {
      .title = "Cache",
      .panels = {
          {.title = "Hits",
           .unit = "percentunit",
           .queries =
               {{R"(sum by (dc) (rate(meridian_edge_cache_requests_total{dc=~"$dc",result=~"hit|stale|collapsed"}[$__rate_interval])) / sum by (dc) (rate(meridian_edge_cache_requests_total{dc=~"$dc"}[$__rate_interval])))",
                 "{{dc}}"}}},
          {.title = "Memory of the cache",
           .unit = "bytes",
           .queries = {{R"(meridian_edge_cache_bytes{dc=~"$dc"})", "{{dc}}"}}},
          {.title = "Bytes to visitors and from the origin",
           .unit = "Bps",
           .queries =
               {{R"(sum(rate(meridian_edge_visitor_bytes_total{dc=~"$dc"}[$__rate_interval])))",
                 "to visitors"},
                {R"(sum(rate(meridian_edge_fetched_bytes_total{dc=~"$dc"}[$__rate_interval])))",
                 "fetched"}}},
          {.title = "Purges applied",
           .unit = "ops",
           .queries = {
               {R"(sum by (dc) (rate(meridian_edge_purges_applied_total{dc=~"$dc"}[$__rate_interval])))",
                "{{dc}}"}}}}};
}

Row EdgeInstancesRow() {
  return {
      .title = "Instances",
      .panels = {
          {.title = "Requests by instance",
           .unit = "reqps",
           .queries =
               {{R"(sum by (instance) (rate(meridian_edge_instance_requests_total{dc=~"$dc"}[$__rate_interval])))",
                 "{{instance}}"}}},
          {.title = "Tries that failed, retries, requests shed",
           .unit = "reqps",
           .queries = {{R"(sum(rate(meridian_edge_failures_total{dc=~"$dc"}[$__rate_interval])))",
                        "failed"},
                       {R"(sum(rate(meridian_edge_retries_total{dc=~"$dc"}[$__rate_interval])))",
                        "retried"},
                       {R"(sum(rate(meridian_edge_shed_total{dc=~"$dc"}[$__rate_interval])))",
                        "shed"}}},
          {.title = "Requests that wait for an instance",
           .unit = "short",
           .queries = {{R"(sum by (dc) (meridian_edge_queued{dc=~"$dc"}))", "{{dc}}"}}},
          {.title = "p99 of the instances",
           .unit = "s",
           .queries = {
               {R"(histogram_quantile(0.99, sum by (release, le) (rate(meridian_edge_instance_duration_seconds_bucket{dc=~"$dc"}[$__rate_interval]))))",
                "release {{release}}"}}}}};
}

Dashboard Edge() {
  return {.name = "edge",
          .title = "Meridian: edge",
          .rows = {EdgeVisitorsRow(), EdgeCacheRow(), EdgeInstancesRow()}};
}

Dashboard Balancer() {
  return {
      .name = "balancer",
      .title = "Meridian: balancer",
      .rows = {
          {.title = "Requests of other data centers",
           .panels = {
               {.title = "Responses by class",
                .unit = "reqps",
                .queries =
                    {{R"(sum by (dc, code) (rate(meridian_balancer_request_duration_seconds_count{dc=~"$dc"}[$__rate_interval])))",
                      "{{dc}} {{code}}"}}},
               {.title = "p99",
                .unit = "s",
                .queries =
                    {{R"(histogram_quantile(0.99, sum by (dc, le) (rate(meridian_balancer_request_duration_seconds_bucket{dc=~"$dc"}[$__rate_interval]))))",
                      "{{dc}}"}}},
               {.title = "Tries that failed, retries, requests shed",
                .unit = "reqps",
                .queries =
                    {{R"(sum(rate(meridian_balancer_failures_total{dc=~"$dc"}[$__rate_interval])))",
                      "failed"},
                     {R"(sum(rate(meridian_balancer_retries_total{dc=~"$dc"}[$__rate_interval])))",
                      "retried"},
                     {R"(sum(rate(meridian_balancer_shed_total{dc=~"$dc"}[$__rate_interval])))",
                      "shed"}}},
               {.title = "Requests that wait for an instance",
                .unit = "short",
                .queries = {
                    {R"(sum by (dc) (meridian_balancer_queued{dc=~"$dc"}))", "{{dc}}"}}}}}}};
}

Dashboard Session() {
  return {
      .name = "session",
      .title = "Meridian: session",
      .rows = {
          {.title = "Commands",
           .panels =
               {{.title = "Commands",
                 .unit = "ops",
                 .queries =
                     {{R"(sum by (dc) (rate(meridian_session_commands_total{dc=~"$dc"}[$__rate_interval])))",
                       "{{dc}}"}}},
                {.title = "p99 by family",
                 .unit = "s",
                 .queries =
                     {{R"(histogram_quantile(0.99, sum by (family, le) (rate(meridian_session_command_duration_seconds_bucket{dc=~"$dc"}[$__rate_interval]))))",
                       "{{family}}"}}},
                {.title = "Memory",
                 .unit = "bytes",
                 .queries = {{R"(meridian_session_memory_bytes{dc=~"$dc"})", "{{dc}}"}}},
                {.title = "Keys",
                 .unit = "short",
                 .queries = {{R"(meridian_session_keys{dc=~"$dc"})", "{{dc}}"}}},
                {.title = "GETs that found a value",
                 .unit = "percentunit",
                 .queries =
                     {{R"(sum by (dc) (rate(meridian_session_hits_total{dc=~"$dc"}[$__rate_interval])) / (sum by (dc) (rate(meridian_session_hits_total{dc=~"$dc"}[$__rate_interval])) + sum by (dc) (rate(meridian_session_misses_total{dc=~"$dc"}[$__rate_interval]))))",
                       "{{dc}}"}}},
                {.title = "Keys expired and evicted",
                 .unit = "ops",
                 .queries =
                     {{R"(sum(rate(meridian_session_expired_keys_total{dc=~"$dc"}[$__rate_interval])))",
                       "expired"},
                      {R"(sum(rate(meridian_session_evicted_keys_total{dc=~"$dc"}[$__rate_interval])))",
                       "evicted"}}}}},
          {.title = "Replication",
           .panels = {{.title = "Age of the copies",
                       .unit = "s",
                       .queries = {{R"(meridian_mirror_lag_seconds{dc=~"$dc",log="session"})",
                                    "{{source}} at {{dc}}"}}},
                      {.title = "Records that copies lack",
                       .unit = "short",
                       .queries = {{R"(meridian_mirror_lag_records{dc=~"$dc",log="session"})",
                                    "{{source}} at {{dc}}"}}}}}}};
}

Dashboard Queue() {
  return {
      .name = "queue",
      .title = "Meridian: queue",
      .rows = {
          {.title = "Messages",
           .panels =
               {{.title = "Produced and fetched",
                 .unit = "Bps",
                 .queries =
                     {{R"(sum(rate(meridian_queue_produced_bytes_total{dc=~"$dc"}[$__rate_interval])))",
                       "produced"},
                      {R"(sum(rate(meridian_queue_fetched_bytes_total{dc=~"$dc"}[$__rate_interval])))",
                       "fetched"}}},
                {.title = "Messages that groups have not read",
                 .unit = "short",
                 .queries =
                     {{R"(sum by (group, topic) (meridian_queue_group_lag_messages{dc=~"$dc"}))",
                       "{{group}}: {{topic}}"}}},
                {.title = "Batches refused",
                 .unit = "ops",
                 .queries =
                     {{R"(sum by (dc) (rate(meridian_queue_refused_batches_total{dc=~"$dc"}[$__rate_interval])))",
                       "{{dc}}"}}},
                {.title = "Dead letters",
                 .unit = "short",
                 .queries = {{R"(max by (worker) (meridian_queue_dead_letters{dc=~"$dc"}))",
                              "{{worker}}"}}},
                {.title = "Requests by kind",
                 .unit = "reqps",
                 .queries =
                     {{R"(sum by (api) (rate(meridian_queue_requests_total{dc=~"$dc"}[$__rate_interval])))",
                       "{{api}}"}}},
                {.title = "Connections",
                 .unit = "short",
                 .queries = {{R"(meridian_queue_connections_open{dc=~"$dc"})", "{{dc}}"}}}}},
          {.title = "Copies",
           .panels = {
               {.title = "Age of the copies",
                .unit = "s",
                .queries = {{R"(meridian_mirror_lag_seconds{dc=~"$dc",log="queue"})",
                             "{{source}} at {{dc}}"}}},
               {.title = "Partitions damaged or incomplete",
                .unit = "short",
                .queries = {{R"(meridian_queue_damaged_partitions{dc=~"$dc"})", "{{dc}} damaged"},
                            {R"(meridian_queue_incomplete_partitions{dc=~"$dc"})",
                             "{{dc}} incomplete"}}}}}}};
}

Dashboard Watch() {
  return {
      .name = "watch",
      .title = "Meridian: watch",
      .rows = {
          {.title = "Log",
           .panels = {
               {.title = "Entries",
                .unit = "ops",
                .queries =
                    {{R"(sum by (dc) (rate(meridian_watch_entries_total{dc=~"$dc"}[$__rate_interval])))",
                      "{{dc}}"}}},
               {.title = "Lines dropped",
                .unit = "ops",
                .queries =
                    {{R"(sum by (dc, by) (rate(meridian_watch_dropped_lines_total{dc=~"$dc"}[$__rate_interval])))",
                      "{{dc}} by the {{by}}"}}},
               {.title = "Size of the log",
                .unit = "bytes",
                .queries = {{R"(meridian_watch_store_bytes{dc=~"$dc"})", "{{dc}}"}}},
               {.title = "Searches",
                .unit = "ops",
                .queries = {
                    {R"(sum by (result) (rate(meridian_watch_searches_total{dc=~"$dc"}[$__rate_interval])))",
                     "{{result}}"}}}}}}};
}

}  // namespace

std::vector<Dashboard> TierDashboards() {
  return {Dns(), Edge(), Balancer(), Session(), Queue(), Watch()};
}

}  // namespace meridian::cli
