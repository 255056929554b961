// What `meridian cdn report` says: the reports of all edges added up, with what it cost and what
// the cache saved. Pure.
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
  bool edge_only = false;  // it has no origin: what it saves, it saves between data centers
  std::optional<site::CdnReport> report = {};
  std::string problem = {};  // without a report: why
};

struct CdnSummary {
  site::CdnTraffic total{.type = "all"};
  std::vector<site::CdnTraffic> by_type{};  // the most bytes to visitors first
  std::vector<site::CdnWaste> wastes{};     // of the same URL as one; kWastesShown at most
  // What visitors got and nobody fetched; negative when more was fetched than given out.
  int64_t saved_requests = 0;
  int64_t saved_bytes = 0;
  double cost = 0;   // by [edge.cost]
  double saved = 0;  // what it had cost more without the cache

  // 0 when there was nothing.
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
