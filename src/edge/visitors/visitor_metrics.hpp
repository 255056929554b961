// VisitorMetrics: visitors' requests by status, result and data center, and their durations.
// Probes, all requests under /.meridian/ and the edge's own requests are not counted. Each loop
// has its own, of which others read requests() and connections(); one thread: the loop's.
//
// A hit only adds to three counters.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "edge/visitors/visitor_record.hpp"

namespace meridian::edge {

class VisitorMetrics {
 public:
  // `data_centers`: the site's, in its order; `here` among them.
  VisitorMetrics(Metrics& metrics, const std::vector<std::string>& data_centers, size_t here);

  void Connected() { connections_.Add(); }
  void Begin() { requests_.Add(); }
  // `status`: 0 when the response broke off, or the visitor left before it.
  void End(const VisitorRecord& record, int status, Duration took) {
    Cells& cells = CellsOf(record);
    cells.by_class[static_cast<size_t>(status / 100)]->Add();
    cells.durations->Add(took);
  }

  uint64_t requests() const { return requests_.value(); }
  uint64_t connections() const { return connections_.value(); }

 private:
  struct Cells {
    std::array<Counter*, 6> by_class{};
    DurationHistogram* durations = nullptr;
  };
  Cells& CellsOf(const VisitorRecord& record) {
    const size_t datacenter = IsFetched(record.result) ? record.datacenter : here_;
    return cells_[static_cast<size_t>(record.result) * data_centers_ + datacenter];
  }

  const size_t data_centers_;
  const size_t here_;
  Counter& connections_;
  Counter& requests_;
  std::vector<Cells> cells_;  // by result, then data center
};

}  // namespace meridian::edge
