// LagMetrics: how far consumer groups are behind, by group and partition, and how many dead letters
// there are, for /metrics.
//
// The controller has the groups, so the others show none. Where a partition's home is another data
// center, its end is that of the mirror here, or what is known of the home where that is further.
// Each Update costs as many look-ups as there are series, at most kMaxLagSeries. No dead letters
// are shown before the first Update: a 0 at the start would look like letters that came later.
//
// Owned by the Queue; one thread: the main loop's.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/metrics.hpp"
#include "queue/state/journal_record.hpp"
#include "queue/state/queue_state.hpp"

namespace meridian::queue {

class LagMetrics {
 public:
  // The topic of dead letters of each worker that has one, by the worker's name.
  using DeadLetterTopics = std::map<std::string, std::string>;

  LagMetrics(Metrics& metrics, const DeadLetterTopics& topics);
  // `now_ms`: wall time, for topics with a delay.
  void Update(const QueueState& state, int64_t now_ms);

 private:
  struct Shown {
    HeldSeries<Gauge> series;
    uint64_t update = 0;  // that saw it last
  };
  using Key = std::pair<std::string, PartitionId>;

  void UpdateGroups(const QueueState& state, int64_t now_ms);
  void UpdateDeadLetters(const QueueState& state);

  SeriesFamily<Gauge> lag_;
  Gauge& hidden_;
  std::map<Key, Shown> shown_;
  uint64_t updates_ = 0;
  Metrics& metrics_;
  DeadLetterTopics dead_letter_topics_;
  std::vector<std::pair<std::string, Gauge*>> dead_letters_;  // by topic
};

}  // namespace meridian::queue
