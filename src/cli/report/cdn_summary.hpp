// The output of `meridian cdn report`: the sum of all edges' reports, with the cost of the traffic
// and the savings by the cache. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "edge/config.hpp"
#include "site/view/cdn_report.hpp"

namespace meridian::cli {

constexpr size_t kWastesShown = 10;

struct CdnEdge {
  std::string name;        // its data center or place
  bool edge_only = false;  // it has no origin: its cache saves traffic between data centers
  std::optional<site::CdnReport> report = {};
  std::string problem = {};  // the reason, if there is no report
};

struct CdnSummary {
  site::CdnTraffic total{.type = "all"};
  std::vector<site::CdnTraffic> by_type{};  // the most bytes to visitors first
  std::vector<site::CdnWaste> wastes{};     // merged by URL; at most kWastesShown
  // Traffic to visitors minus fetched traffic; negative if more was fetched.
  int64_t saved_requests = 0;
  int64_t saved_bytes = 0;
  double cost = 0;   // by [edge.cost]
  double saved = 0;  // additional cost without the cache

  // 0 without traffic.
  double hit_ratio() const;
  double byte_hit_ratio() const;
};

CdnSummary SummarizeCdn(const std::vector<CdnEdge>& edges, const edge::Prices& prices);

// For people and for programs.
std::string CdnText(const CdnSummary& summary, const std::vector<CdnEdge>& edges,
                    const edge::Prices& prices);
std::string CdnJson(const CdnSummary& summary, const std::vector<CdnEdge>& edges,
                    const edge::Prices& prices);

}  // namespace meridian::cli
