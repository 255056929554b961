#include "queue/metrics.hpp"

#include <cstddef>

#include "base/metrics.hpp"
#include "queue/engine/engine.hpp"

namespace meridian::queue {

EngineMetrics::EngineMetrics(Metrics& metrics)
    : duplicates_{metrics.AddCounter("meridian_queue_duplicate_batches_total",
                                     "Batches that a producer sent again.")},
      storage_refusals_{metrics.AddCounter("meridian_queue_storage_refusals_total",
                                           "Batches refused because the disk was full or failed.")},
      offsets_committed_{metrics.AddCounter("meridian_queue_offsets_committed_total",
                                            "Offsets that consumer groups have committed.")},
      producers_evicted_{metrics.AddCounter("meridian_queue_evicted_producers_total",
                                            "Idempotent producers forgotten to make room.")},
      topics_(metrics.AddGauge("meridian_queue_topics", "Topics.")),
      partitions_(metrics.AddGauge("meridian_queue_partitions", "Partitions of all topics.")),
      groups_(metrics.AddGauge("meridian_queue_groups", "Groups that have committed offsets.")),
      active_groups_(metrics.AddGauge("meridian_queue_active_groups", "Groups with members.")),
      producers_(metrics.AddGauge("meridian_queue_producers",
                                  "Idempotent producers, each counted by its partitions.")),
      bytes_in_flight_(metrics.AddGauge("meridian_queue_in_flight_bytes",
                                        "Bytes appended and not yet in segment files.")),
      journal_bytes_(metrics.AddGauge("meridian_queue_journal_bytes", "Size of the journal.")),
      journal_syncs_{metrics.AddCounter("meridian_queue_journal_syncs_total",
                                        "Groups of records written to the journal and synced.")},
      journal_written_bytes_{metrics.AddCounter("meridian_queue_journal_written_bytes_total",
                                                "Bytes of these groups.")},
      damaged_partitions_(metrics.AddGauge("meridian_queue_damaged_partitions",
                                           "Partitions with a damaged segment file.")),
      repaired_segments_{metrics.AddCounter("meridian_queue_repaired_segments_total",
                                            "Damaged segment files that were repaired.")},
      checked_segment_bytes_{
          metrics.AddCounter("meridian_queue_checked_segment_bytes_total",
                             "Bytes of segment files that were checked for damage.")},
      open_segment_files_(
          metrics.AddGauge("meridian_queue_open_segment_files", "Segment files that are open.")) {}

void EngineMetrics::Update(const EngineNumbers& numbers, size_t active_groups) {
  duplicates_.Follow(numbers.duplicates);
  storage_refusals_.Follow(numbers.storage_refusals);
  offsets_committed_.Follow(numbers.offsets_committed);
  producers_evicted_.Follow(numbers.producers_evicted);
  topics_.Set(static_cast<double>(numbers.topics));
  partitions_.Set(static_cast<double>(numbers.partitions));
  groups_.Set(static_cast<double>(numbers.groups));
  active_groups_.Set(static_cast<double>(active_groups));
  producers_.Set(static_cast<double>(numbers.producers));
  bytes_in_flight_.Set(static_cast<double>(numbers.bytes_in_flight));
  journal_bytes_.Set(static_cast<double>(numbers.journal_bytes));
  journal_syncs_.Follow(numbers.journal_syncs);
  journal_written_bytes_.Follow(numbers.journal_written_bytes);
  repaired_segments_.Follow(numbers.repaired_segments);
  checked_segment_bytes_.Follow(numbers.checked_segment_bytes);
  damaged_partitions_.Set(static_cast<double>(numbers.damaged_partitions));
  open_segment_files_.Set(static_cast<double>(numbers.open_segment_files));
}

}  // namespace meridian::queue
