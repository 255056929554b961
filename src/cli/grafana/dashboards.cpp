// What the dashboards of the whole site show.
#include <utility>
#include <vector>

#include "cli/grafana/dashboard.hpp"
#include "cli/grafana/tier_dashboards.hpp"

namespace meridian::cli {
namespace {

Row VisitorsRow() {
  return {
      .title = "Visitors",
      .panels = {
          {.title = "Requests without an error",
           .unit = "percentunit",
           .queries =
               {{R"(1 - (sum(rate(meridian_edge_visitor_responses_total{dc=~"$dc",code="5xx"}[5m])) or vector(0)) / sum(rate(meridian_edge_visitor_responses_total{dc=~"$dc"}[5m])))",
                 ""}},
           .kind = PanelKind::kStat},
          {.title = "Requests",
           .unit = "reqps",
           .queries = {{R"(sum(rate(meridian_edge_visitor_responses_total{dc=~"$dc"}[5m])))", ""}},
           .kind = PanelKind::kStat},
          {.title = "p99",
           .unit = "s",
           .queries =
               {{R"(histogram_quantile(0.99, sum by (le) (rate(meridian_edge_visitor_duration_seconds_bucket{dc=~"$dc"}[5m]))))",
                 ""}},
           .kind = PanelKind::kStat},
          {.title = "Cache hits",
           .unit = "percentunit",
           .queries =
               {{R"(sum(rate(meridian_edge_cache_requests_total{dc=~"$dc",result=~"hit|stale|collapsed"}[5m])) / sum(rate(meridian_edge_cache_requests_total{dc=~"$dc"}[5m])))",
                 ""}},
           .kind = PanelKind::kStat},
          {.title = "Tiers ready",
           .unit = "short",
           .queries = {{R"(sum(meridian_agent_tiers_ready{dc=~"$dc"}))", ""}},
           .kind = PanelKind::kStat},
          {.title = "Healthy instances",
           .unit = "short",
           .queries = {{R"(sum(meridian_agent_instances_healthy{dc=~"$dc"}))", ""}},
           .kind = PanelKind::kStat},
          {.title = "Requests by the data center that they came to",
           .unit = "reqps",
           .queries =
               {{R"(sum by (dc) (rate(meridian_edge_visitor_responses_total{dc=~"$dc"}[$__rate_interval])))",
                 "{{dc}}"}}},
          {.title = "Errors",
           .unit = "reqps",
           .queries =
               {{R"(sum by (dc) (rate(meridian_edge_visitor_responses_total{dc=~"$dc",code="5xx"}[$__rate_interval])))",
                 "{{dc}}"}}},
          {.title = "How long visitors wait",
           .unit = "s",
           .queries =
               {{R"(histogram_quantile(0.5, sum by (le) (rate(meridian_edge_visitor_duration_seconds_bucket{dc=~"$dc"}[$__rate_interval]))))",
                 "p50"},
                {R"(histogram_quantile(0.99, sum by (le) (rate(meridian_edge_visitor_duration_seconds_bucket{dc=~"$dc"}[$__rate_interval]))))",
                 "p99"}}},
          {.title = "Where DNS sends visitors",
           .unit = "ops",
           .queries = {
               {R"(sum by (datacenter) (rate(meridian_dns_steered_total{dc=~"$dc"}[$__rate_interval])))",
                "{{datacenter}}"}}}}};
}

Row CrossingsRow() {
  return {
      .title = "Between data centers",
      .panels = {
          {.title = "In the DNS answers",
           .unit = "short",
           .queries = {{R"(min by (datacenter) (meridian_dns_datacenter_serving{dc=~"$dc"}))",
                        "{{datacenter}}"}}},
          {.title = "Age of the copies",
           .unit = "s",
           .queries = {{R"(max by (dc, log, source) (meridian_mirror_lag_seconds{dc=~"$dc"}))",
                        "{{log}}: {{source}} at {{dc}}"}}},
          {.title = "Requests forwarded to another data center",
           .unit = "reqps",
           .queries =
               {{R"(sum by (dc) (rate(meridian_edge_crossings_total{dc=~"$dc"}[$__rate_interval])))",
                 "{{dc}}"}}},
          {.title = "Messages that wait",
           .unit = "short",
           .queries = {
               {R"(sum by (group) (max by (group, topic, partition) (meridian_queue_group_lag_messages{dc=~"$dc"})))",
                "{{group}}"}}}}};
}

Dashboard Overview() {
  return {
      .name = "overview", .title = "Meridian: overview", .rows = {VisitorsRow(), CrossingsRow()}};
}

Dashboard Slo() {
  return {
      .name = "slo",
      .title = "Meridian: service level",
      .rows = {
          {.title = "Error budget: 0.1% of the requests of 30 days",
           .panels = {
               {.title = "Share of requests with an error",
                .unit = "percentunit",
                .queries =
                    {{R"(sum by (dc) (rate(meridian_edge_visitor_responses_total{dc=~"$dc",code="5xx"}[5m])) / sum by (dc) (rate(meridian_edge_visitor_responses_total{dc=~"$dc"}[5m])))",
                      "{{dc}}, 5 min"},
                     {R"(sum by (dc) (rate(meridian_edge_visitor_responses_total{dc=~"$dc",code="5xx"}[1h])) / sum by (dc) (rate(meridian_edge_visitor_responses_total{dc=~"$dc"}[1h])))",
                      "{{dc}}, 1 h"},
                     {R"(sum by (dc) (rate(meridian_edge_visitor_responses_total{dc=~"$dc",code="5xx"}[6h])) / sum by (dc) (rate(meridian_edge_visitor_responses_total{dc=~"$dc"}[6h])))",
                      "{{dc}}, 6 h"}}},
               {.title = "Times faster than the budget allows",
                .unit = "short",
                .queries =
                    {{R"(sum by (dc) (rate(meridian_edge_visitor_responses_total{dc=~"$dc",code="5xx"}[1h])) / sum by (dc) (rate(meridian_edge_visitor_responses_total{dc=~"$dc"}[1h])) / 0.001)",
                      "{{dc}}, 1 h"},
                     {R"(sum by (dc) (rate(meridian_edge_visitor_responses_total{dc=~"$dc",code="5xx"}[6h])) / sum by (dc) (rate(meridian_edge_visitor_responses_total{dc=~"$dc"}[6h])) / 0.001)",
                      "{{dc}}, 6 h"}},
                .description = "Alerts fire at 14.4 (1 h) and at 6 (6 h)."}}}}};
}

Dashboard Host() {
  return {
      .name = "host",
      .title = "Meridian: hosts",
      .rows = {
          {.title = "Machine",
           .panels =
               {{.title = "Processor in use",
                 .unit = "percentunit",
                 .queries =
                     {{R"(1 - sum by (dc) (rate(meridian_host_cpu_seconds_total{dc=~"$dc",mode=~"idle|iowait"}[$__rate_interval])) / sum by (dc) (rate(meridian_host_cpu_seconds_total{dc=~"$dc"}[$__rate_interval])))",
                       "{{dc}}"}}},
                {.title = "Memory in use",
                 .unit = "percentunit",
                 .queries =
                     {{R"(1 - meridian_host_memory_available_bytes{dc=~"$dc"} / meridian_host_memory_total_bytes{dc=~"$dc"})",
                       "{{dc}}"}}},
                {.title = "Free space of the state directory",
                 .unit = "bytes",
                 .queries = {{R"(meridian_host_state_filesystem_free_bytes{dc=~"$dc"})",
                              "{{dc}}"}}},
                {.title = "Disk busy",
                 .unit = "percentunit",
                 .queries =
                     {{R"(rate(meridian_host_disk_busy_seconds_total{dc=~"$dc"}[$__rate_interval]))",
                       "{{dc}} {{device}}"}}},
                {.title = "Network",
                 .unit = "Bps",
                 .queries =
                     {{R"(sum by (dc, direction) (rate(meridian_host_network_bytes_total{dc=~"$dc",device!="lo"}[$__rate_interval])))",
                       "{{dc}} {{direction}}"}}},
                {.title = "Work that waited for a resource",
                 .unit = "percentunit",
                 .queries =
                     {{R"(rate(meridian_host_pressure_seconds_total{dc=~"$dc",share="some"}[$__rate_interval]))",
                       "{{dc}} {{resource}}"}}}}},
          {.title = "Processes",
           .panels = {
               {.title = "Processor by process",
                .unit = "short",
                .queries =
                    {{R"(sum by (dc, kind, name) (rate(meridian_host_process_cpu_seconds_total{dc=~"$dc"}[$__rate_interval])))",
                      "{{dc}} {{name}}"}},
                .description = "1: one core."},
               {.title = "Memory by process",
                .unit = "bytes",
                .queries =
                    {{R"(sum by (dc, kind, name) (meridian_host_process_resident_bytes{dc=~"$dc"}))",
                      "{{dc}} {{name}}"}}},
               {.title = "Descriptors, of the limit",
                .unit = "percentunit",
                .queries =
                    {{R"(meridian_host_process_open_descriptors{dc=~"$dc"} / meridian_host_process_descriptor_limit{dc=~"$dc"})",
                      "{{dc}} {{name}}"}}},
               {.title = "Clock: largest possible error",
                .unit = "s",
                .queries = {{R"(meridian_host_clock_max_error_seconds{dc=~"$dc"})", "{{dc}}"}}}}}}};
}

}  // namespace

const std::vector<Dashboard>& AllDashboards() {
  static const std::vector<Dashboard> all = [] {
    std::vector<Dashboard> dashboards = {Overview(), Slo(), Host()};
    for (Dashboard& each : TierDashboards()) dashboards.push_back(std::move(each));
    return dashboards;
  }();
  return all;
}

}  // namespace meridian::cli
