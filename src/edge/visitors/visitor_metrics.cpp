#include "edge/visitors/visitor_metrics.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.hpp"
#include "edge/visitors/visitor_record.hpp"
#include "http/server/server_metrics.hpp"

namespace meridian::edge {

std::string_view VisitorResultName(VisitorResult result) {
  switch (result) {
    case VisitorResult::kHit:
      return "hit";
    case VisitorResult::kStale:
      return "stale";
    case VisitorResult::kCollapsed:
      return "collapsed";
    case VisitorResult::kConfirmed:
      return "confirmed";
    case VisitorResult::kForwarded:
      return "forwarded";
    case VisitorResult::kHere:
      return "here";
  }
  return "here";
}

VisitorMetrics::VisitorMetrics(Metrics& metrics, const std::vector<std::string>& data_centers,
                               size_t here)
    : data_centers_(data_centers.size()),
      here_(here),
      connections_(
          metrics.AddCounter("meridian_edge_visitor_connections_total",
                             "Connections whose first request was a visitor's, not a probe's.")),
      requests_(metrics.AddCounter("meridian_edge_visitor_requests_total",
                                   "Requests of visitors that were received.")),
      cells_(kVisitorResults * data_centers.size()) {
  auto for_each = [&](const auto& visit) {
    for (size_t i = 0; i < cells_.size(); ++i) {
      const auto result = static_cast<VisitorResult>(i / data_centers_);
      const size_t datacenter = i % data_centers_;
      if (!IsFetched(result) && datacenter != here_) continue;
      visit(cells_[i], Metrics::Labels{{"result", std::string(VisitorResultName(result))},
                                       {"datacenter", data_centers[datacenter]}});
    }
  };
  for_each([&](Cells& cells, const Metrics::Labels& labels) {
    for (size_t i = 0; i < cells.by_class.size(); ++i) {
      Metrics::Labels with_code = labels;
      with_code.emplace_back("code", http::ServerMetrics::kStatusClasses[i]);
      cells.by_class[i] =
          &metrics.AddCounter("meridian_edge_visitor_responses_total",
                              "Requests of visitors that are over, by class of status, where the "
                              "answer came from, and the data center that served it.",
                              with_code);
    }
  });
  for_each([&](Cells& cells, const Metrics::Labels& labels) {
    cells.durations = &metrics.AddDurations(
        "meridian_edge_visitor_duration_seconds",
        "From when a visitor's request was noticed to when all of its response was handed to the "
        "kernel.",
        labels);
  });
}

}  // namespace meridian::edge
