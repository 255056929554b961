// EngineMetrics: what /metrics shows of the engine and the groups, from their own numbers. Owned by
// the Queue; one thread: the main loop's.
#pragma once

#include <cstdint>

#include "base/metrics.hpp"
#include "queue/engine/engine.hpp"

namespace meridian::queue {

class EngineMetrics {
 public:
  explicit EngineMetrics(Metrics& metrics);
  void Update(const EngineNumbers& numbers, size_t active_groups);

 private:
  // A counter that follows a number which never falls.
  struct Followed {
    Counter& counter;
    uint64_t last = 0;
    void Follow(uint64_t now) {
      counter.Add(now - last);
      last = now;
    }
  };

  Followed duplicates_;
  Followed storage_refusals_;
  Followed offsets_committed_;
  Followed producers_evicted_;
  Gauge& topics_;
  Gauge& partitions_;
  Gauge& groups_;
  Gauge& active_groups_;
  Gauge& producers_;
  Gauge& bytes_in_flight_;
  Gauge& journal_bytes_;
  Followed journal_syncs_;
  Followed journal_written_bytes_;
  Gauge& damaged_partitions_;
  Followed repaired_segments_;
  Followed checked_segment_bytes_;
  Gauge& open_segment_files_;
};

}  // namespace meridian::queue
