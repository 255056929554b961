#include "queue/lag_metrics.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/metrics.hpp"
#include "queue/limits.hpp"
#include "queue/state/group_offsets.hpp"
#include "queue/state/journal_record.hpp"
#include "queue/state/queue_state.hpp"

namespace meridian::queue {
namespace {

// Messages that a group at `committed` has not read yet. Those that a delay holds back do not
// count, nor do those that are removed.
int64_t LagOf(const Topic& topic, const PartitionState& partition, int64_t committed,
              int64_t now_ms) {
  int64_t end = std::max(partition.end_offset, partition.source_end);
  if (topic.config.delay_ms > 0) {
    end = partition.delays.VisibleEnd(now_ms, topic.config.delay_ms, end);
  }
  return std::max<int64_t>(end - std::max(committed, partition.log_start_offset), 0);
}

}  // namespace

LagMetrics::LagMetrics(Metrics& metrics, const DeadLetterTopics& topics)
    : lag_(metrics, {.name = "meridian_queue_group_lag_messages",
                     .help = "Messages that a group has not committed yet.",
                     .label_names = {"group", "topic", "partition"},
                     .max_series = kMaxLagSeries}),
      hidden_(metrics.AddGauge("meridian_queue_group_lag_hidden_partitions",
                               "Partitions of groups whose lag is not shown, past the limit.")),
      metrics_(metrics),
      dead_letter_topics_(topics) {}

void LagMetrics::Update(const QueueState& state, int64_t now_ms) {
  UpdateGroups(state, now_ms);
  UpdateDeadLetters(state);
}

void LagMetrics::UpdateGroups(const QueueState& state, int64_t now_ms) {
  struct Seen {
    Key key;
    const Topic* topic = nullptr;
    int64_t lag = 0;
  };
  std::vector<Seen> added;
  ++updates_;
  size_t count = 0;
  const GroupOffsets& groups = state.groups();
  for (const auto& [name, group] : groups.groups()) {
    if (!state.is_controller() || count == kMaxLagSeries) break;
    for (const auto& [id, committed] : group.offsets) {
      if (count == kMaxLagSeries) break;
      const Topic* topic = state.FindTopic(id.topic);
      const PartitionState* partition = state.FindPartition(id);
      if (topic == nullptr || partition == nullptr) continue;
      ++count;
      Key key{name, id};
      const int64_t lag = LagOf(*topic, *partition, committed.offset, now_ms);
      auto found = shown_.find(key);
      if (found == shown_.end()) {
        added.push_back({.key = std::move(key), .topic = topic, .lag = lag});
      } else {
        found->second.series->Set(static_cast<double>(lag));
        found->second.update = updates_;
      }
    }
  }
  // What is gone makes room first; until another takes its place it is shown without lag.
  std::erase_if(shown_, [this](auto& each) {
    if (each.second.update == updates_) return false;
    each.second.series->Set(0);
    return true;
  });
  for (Seen& each : added) {
    Shown shown{.series = lag_.Take({each.key.first, each.topic->name,
                                     fmt::format("{}", each.key.second.partition)}),
                .update = updates_};
    shown.series->Set(static_cast<double>(each.lag));
    shown_.emplace(std::move(each.key), std::move(shown));
  }
  hidden_.Set(state.is_controller() ? static_cast<double>(groups.size() - count) : 0);
}

void LagMetrics::UpdateDeadLetters(const QueueState& state) {
  for (const auto& [worker, topic] : std::exchange(dead_letter_topics_, {})) {
    dead_letters_.emplace_back(
        topic, &metrics_.AddGauge("meridian_queue_dead_letters",
                                  "Messages that a worker has given up on.", {{"worker", worker}}));
  }
  for (auto& [name, gauge] : dead_letters_) {
    const Topic* topic = state.FindTopic(name);
    int64_t letters = 0;
    if (topic != nullptr && state.IsHome(*topic)) {
      for (const PartitionState& partition : topic->partitions) {
        letters += partition.end_offset - partition.log_start_offset;
      }
    }
    gauge->Set(static_cast<double>(letters));
  }
}

}  // namespace meridian::queue
