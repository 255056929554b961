// Engine: reading, and removing records.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/task.hpp"
#include "queue/engine/durable_state.hpp"
#include "queue/engine/engine.hpp"
#include "queue/engine/partition.hpp"
#include "queue/partition/partition_log.hpp"
#include "queue/state/epoch_history.hpp"
#include "queue/state/journal_record.hpp"
#include "queue/state/limits.hpp"
#include "queue/state/queue_state.hpp"
#include "queue/state/refusal.hpp"

namespace meridian::queue {

Outcome<FetchView> Engine::Look(FetchPosition position) const {
  Outcome<PartitionId> id = FindForEpoch(position.where, position.leader_epoch);
  if (!id) return Refuse(std::move(id.error()));
  std::shared_ptr<Partition> partition = durable_->FindPartition(*id);
  FetchView view{.high_watermark = VisibleEnd(*partition),
                 .log_start_offset = LogStart(*partition)};
  // A longer delay may hide again what a reader has seen: it waits.
  if (position.offset < view.log_start_offset || position.offset > partition->high_watermark()) {
    return Refuse(QueueError::kOffsetOutOfRange, "offset {} is not between {} and {}",
                  position.offset, view.log_start_offset, partition->high_watermark());
  }
  return view;
}

// At any data center whose copy has the history that the repairer has, also what consumers do not
// see yet or any more.
Outcome<FetchView> Engine::LookAsRepairer(FetchPosition position) const {
  Outcome<PartitionId> id = Find(position.where);
  if (!id) return Refuse(std::move(id.error()));
  const int32_t epoch = durable_->state().FindTopic(id->topic)->leader_epoch;
  if (position.leader_epoch != epoch) {
    return Refuse(position.leader_epoch < epoch ? QueueError::kFencedLeaderEpoch
                                                : QueueError::kUnknownLeaderEpoch,
                  "topic {} has leader epoch {} here, not {}", position.where.topic, epoch,
                  position.leader_epoch);
  }
  std::shared_ptr<Partition> partition = durable_->FindPartition(*id);
  if (partition->is_being_cut()) {
    return Refuse(QueueError::kStorage, "{} is being cut off", partition->name());
  }
  return FetchView{.high_watermark = partition->high_watermark(),
                   .log_start_offset = LogStart(*partition)};
}

io::Task<Outcome<FetchView>> Engine::Fetch(FetchPosition position, size_t max_bytes) {
  const bool repairs = position.as == FetchAs::kRepairer;
  Outcome<FetchView> looked = repairs ? LookAsRepairer(position) : Look(position);
  if (!looked || position.offset >= looked->high_watermark) co_return looked;
  FetchView view = std::move(*looked);
  std::shared_ptr<Partition> partition = durable_->FindPartition(*Find(position.where));
  const ReadRequest request{.offset = position.offset,
                            .max_bytes = max_bytes,
                            .limit_offset = view.high_watermark,
                            .below_log_start = repairs};
  auto range = co_await (position.as == FetchAs::kConsumer ? partition->log()->Read(request)
                                                           : partition->log()->ReadSound(request));
  if (range) {
    view.range = std::move(*range);
    co_return view;
  }
  if (partition->gone()) {
    co_return Refuse(QueueError::kUnknownTopicOrPartition, "{} was deleted", partition->name());
  }
  // The segment may have been removed meanwhile.
  if (range.error().code == Errc::kNotFound || position.offset < LogStart(*partition)) {
    co_return Refuse(QueueError::kOffsetOutOfRange, "{}", range.error().message);
  }
  co_return Refuse(QueueError::kStorage, "{}", range.error().message);
}

io::Task<bool> Engine::AwaitData(std::span<const SeenPartition> partitions, size_t min_bytes,
                                 TimePoint deadline) {
  if (data_waits_ + partitions.size() > kMaxDataWaits) co_return false;
  DataWait wait(min_bytes);
  for (const SeenPartition& seen : partitions) {
    Outcome<PartitionId> id = Find(seen.where);
    if (!id) co_return true;
    std::shared_ptr<Partition> partition = durable_->FindPartition(*id);
    // Where there is a delay, time makes messages visible, not their arrival.
    if (!UntilVisible(*partition)) wait.Watch(std::move(partition));
  }
  data_waits_ += partitions.size();
  bool enough = false;
  for (;;) {
    std::optional<TimePoint> look_again = WhenToLook(partitions);
    enough = !look_again;
    if (enough) break;
    const TimePoint until = std::min(deadline, *look_again);
    enough = co_await wait.Wait(until);
    // A wait that ended early was cancelled.
    if (enough || loop_.Now() >= deadline || loop_.Now() < until) break;
  }
  data_waits_ -= partitions.size();
  co_return enough;
}

// When more may be visible although nothing was appended; nothing: more is visible now.
std::optional<TimePoint> Engine::WhenToLook(std::span<const SeenPartition> partitions) const {
  TimePoint when = kNever;
  for (const SeenPartition& seen : partitions) {
    Outcome<PartitionId> id = Find(seen.where);
    if (!id) return std::nullopt;
    std::shared_ptr<Partition> partition = durable_->FindPartition(*id);
    if (VisibleEnd(*partition) != seen.high_watermark) return std::nullopt;
    if (auto wait = UntilVisible(*partition)) when = std::min(when, loop_.After(*wait));
  }
  return when;
}

io::Task<Outcome<std::optional<TimedOffset>>> Engine::ListOffset(TopicPartition where,
                                                                 int64_t time_ms,
                                                                 int32_t leader_epoch) {
  Outcome<PartitionId> id = FindForEpoch(where, leader_epoch);
  if (!id) co_return Refuse(std::move(id.error()));
  std::shared_ptr<Partition> partition = durable_->FindPartition(*id);
  int32_t own_epoch = durable_->state().FindTopic(id->topic)->leader_epoch;
  if (time_ms == kLatestOffset) {
    co_return TimedOffset{.offset = VisibleEnd(*partition), .leader_epoch = own_epoch};
  }
  if (time_ms == kEarliestOffset) {
    auto epochs = durable_->state().FindPartition(*id)->epochs.starts();
    int32_t epoch = epochs.empty() ? own_epoch : epochs.front().epoch;
    co_return TimedOffset{.offset = LogStart(*partition), .leader_epoch = epoch};
  }
  if (partition->log() == nullptr) co_return std::nullopt;
  Result<std::optional<TimedOffset>> found;
  if (time_ms == kMaxTimestamp) {
    found = co_await partition->log()->OffsetAtMaxTime();
  } else {
    found = co_await partition->log()->OffsetAtTime(time_ms);
  }
  if (!found) co_return Refuse(QueueError::kStorage, "{}", found.error().message);
  if (partition->gone() || (*found && (*found)->offset >= VisibleEnd(*partition))) {
    co_return std::nullopt;
  }
  co_return *found;
}

Outcome<EpochEnd> Engine::EndOfEpoch(TopicPartition where, int32_t epoch,
                                     int32_t leader_epoch) const {
  Outcome<PartitionId> id = FindForEpoch(where, leader_epoch);
  if (!id) return Refuse(std::move(id.error()));
  int64_t high_watermark = durable_->FindPartition(*id)->high_watermark();
  EpochEnd end = durable_->state().FindPartition(*id)->epochs.EndOf(epoch, high_watermark);
  end.end_offset = std::min(end.end_offset, high_watermark);
  return end;
}

io::Task<Outcome<int64_t>> Engine::DeleteRecords(TopicPartition where, int64_t offset) {
  Outcome<PartitionId> id = FindHere(where);
  if (!id) co_return Refuse(std::move(id.error()));
  std::shared_ptr<Partition> partition = durable_->FindPartition(*id);
  if (offset == kLatestOffset) offset = VisibleEnd(*partition);
  if (offset < 0 || offset > partition->high_watermark()) {
    co_return Refuse(QueueError::kOffsetOutOfRange, "offset {} is above the high watermark {}",
                     offset, partition->high_watermark());
  }
  if (offset > LogStart(*partition)) {
    Outcome<> moved = co_await AppendDurably(LogStartMovedRecord{*id, offset});
    if (!moved) co_return Refuse(std::move(moved.error()));
    Result<void> dropped = co_await durable_->DropBefore(partition, offset);
    if (!dropped) co_return Refuse(QueueError::kStorage, "{}", dropped.error().message);
  }
  if (partition->gone()) {
    co_return Refuse(QueueError::kUnknownTopicOrPartition, "{} was deleted", partition->name());
  }
  co_return LogStart(*partition);
}

}  // namespace meridian::queue
