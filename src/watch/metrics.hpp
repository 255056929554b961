// The metrics of the watch tier. Owned by the tier; one thread: the loop's.
#pragma once

#include <cstdint>

#include "base/metrics.hpp"
#include "watch/log/log_store.hpp"
#include "watch/own_lines/own_lines.hpp"

namespace meridian::watch {

// What sources of a log report beside the store, since the start of the process.
struct OutputCounts {
  uint64_t dropped_lines = 0;  // past the quota of their source
  uint64_t dropped_bytes = 0;
  uint64_t agent_dropped_lines = 0;  // by the agent
  uint64_t agent_dropped_bytes = 0;
  uint64_t bytes = 0;    // that came
  uint64_t sources = 0;  // at present
};

class WatchMetrics {
 public:
  explicit WatchMetrics(Metrics& metrics);

  void Update(const LogStoreStatus& store, const OutputCounts& output, const OwnLineCounts& own);

  Counter& searches() { return searches_; }
  Counter& refused_searches() { return refused_searches_; }
  Counter& failed_searches() { return failed_searches_; }
  Counter& unauthorized() { return unauthorized_; }

 private:
  // Raises `counter` to a count that somebody else keeps.
  static void RaiseTo(Counter& counter, uint64_t count);

  Counter& entries_;
  Counter& refused_;
  Counter& lost_;
  Counter& removed_by_quota_;
  Counter& removed_for_room_;
  Gauge& store_bytes_;
  Gauge& waiting_bytes_;
  Gauge& segments_;
  Counter& output_bytes_;
  Gauge& sources_;
  Counter& own_bytes_;
  Gauge& own_unread_bytes_;
  Counter& own_gaps_;
  Counter& quota_lines_;
  Counter& quota_bytes_;
  Counter& agent_lines_;
  Counter& agent_bytes_;
  Counter& searches_;
  Counter& refused_searches_;
  Counter& failed_searches_;
  Counter& unauthorized_;
};

}  // namespace meridian::watch
