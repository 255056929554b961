// QueueState: homes and the controller move, and what a snapshot of another data center says.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/hybrid_clock.hpp"
#include "queue/state/epoch_history.hpp"
#include "queue/state/journal_record.hpp"
#include "queue/state/queue_state.hpp"

namespace meridian::queue {

// Also for a record that was applied before: then it changes nothing.
void QueueState::MoveHome(Topic& topic, const TopicRecord& record, JournalPlace place,
                          Applied& applied) {
  const bool moves = record.leader_epoch > topic.leader_epoch;
  if (moves && place.author == node_) own_move_end_ = place.end_offset;
  topic.home = record.home;
  topic.leader_epoch = record.leader_epoch;
  const size_t count = std::min(record.at_home.size(), topic.partitions.size());
  for (size_t i = 0; i < count; ++i) {
    PartitionState& partition = topic.partitions[i];
    const PartitionAtHome& at_home = record.at_home[i];
    if (moves) partition.applied_end = place.end_offset;
    partition.source_end = std::max(moves ? 0 : partition.source_end, at_home.end_offset);
    if (partition.epochs.last_epoch() >= record.leader_epoch) continue;
    EpochHistory history;
    for (const EpochStart& start : at_home.epochs) history.Add(start.epoch, start.start_offset);
    const int64_t common =
        partition.epochs.CommonEnd(partition.end_offset, history, at_home.end_offset);
    if (partition.end_offset <= common) continue;
    const PartitionId id{topic.number, static_cast<uint32_t>(i)};
    applied.cuts.emplace_back(id, common);
    CutPartition(id, common);
  }
}

void QueueState::MoveController(Controller controller, Applied& applied) {
  if (controller.epoch <= controller_.epoch) return;
  controller_ = controller;
  NoteEpoch(controller.epoch);
  groups_.ResetAppliedEnds();
  for (uint32_t number : TakeLost()) applied.lost.push_back(number);
}

std::vector<uint32_t> QueueState::TakeLost() {
  std::vector<uint32_t> lost;
  for (const auto& [number, topic] : topics_) {
    if (topic.controller_epoch < controller_.epoch) lost.push_back(number);
  }
  for (uint32_t number : lost) EraseTopic(number);
  return lost;
}

void QueueState::CutPartition(PartitionId id, int64_t offset) {
  PartitionState* partition = FindPartition(id);
  if (partition == nullptr || partition->end_offset <= offset) return;
  partition->end_offset = offset;
  partition->log_start_offset = std::min(partition->log_start_offset, offset);
  partition->epochs.TrimFrom(offset);
  partition->delays.CutFrom(offset);
  producers_.CutPartition(id, offset);
}

void QueueState::SkipTo(PartitionId id, int64_t offset) {
  PartitionState* partition = FindPartition(id);
  if (partition == nullptr || partition->end_offset >= offset) return;
  partition->end_offset = offset;
  partition->log_start_offset = offset;
  partition->source_end = std::max(partition->source_end, offset);
}

// --- Snapshots of other data centers -------------------------------------------------------------

void QueueState::LearnCounters(const Counters& counters, NodeId author) {
  NoteEpoch(counters.max_epoch);
  if (counters.controller.node != author || counters.controller.epoch < controller_.epoch) return;
  if (counters.controller != controller_) groups_.ResetAppliedEnds();
  controller_ = counters.controller;
  for (uint32_t number : counters.deleted_topics) NoteDeleted(number);
}

std::optional<int64_t> QueueState::LearnPartition(PartitionId id, const PartitionState& at_home,
                                                  NodeId author) {
  PartitionState* partition = FindPartition(id);
  if (partition == nullptr || topics_.at(id.topic).home != author) return std::nullopt;
  partition->source_end = std::max(partition->source_end, at_home.end_offset);
  const int64_t common =
      partition->epochs.CommonEnd(partition->end_offset, at_home.epochs, at_home.end_offset);
  std::optional<int64_t> cut;
  if (common < partition->end_offset) {
    cut = common;
    CutPartition(id, common);
  }
  partition->applied_end = 0;
  const int64_t log_start = std::min(at_home.log_start_offset, partition->end_offset);
  partition->log_start_offset = std::max(partition->log_start_offset, log_start);
  partition->epochs.TrimBelow(partition->log_start_offset);
  return cut;
}

void QueueState::LearnOffset(std::string_view group, PartitionId id,
                             const CommittedOffset& committed, HybridTime time, NodeId author) {
  if (author != controller_.node || FindPartition(id) == nullptr) return;
  groups_.Set(group, id, committed);
  groups_.Touch(group, time, 0);
}

std::vector<uint32_t> QueueState::EndLearning(NodeId author) {
  if (author != controller_.node) return {};
  return TakeLost();
}

}  // namespace meridian::queue
