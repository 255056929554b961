#include "queue/engine/durable_state.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/check.hpp"
#include "base/hybrid_clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "queue/engine/engine.hpp"
#include "queue/engine/fiber_mutex.hpp"
#include "queue/engine/partition.hpp"
#include "queue/engine/segment_writer.hpp"
#include "queue/partition/compaction.hpp"
#include "queue/partition/partition_log.hpp"
#include "queue/partition/segment_scan.hpp"
#include "queue/state/epoch_history.hpp"
#include "queue/state/journal_record.hpp"
#include "queue/state/queue_state.hpp"
#include "store/journal.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::queue {

DurableState::DurableState(io::Loop& loop, io::Disk& disk, HybridClock& clock,
                           const EngineOptions& options)
    : loop_(loop),
      disk_(disk),
      clock_(clock),
      folder_(options.folder),
      max_in_flight_(options.max_in_flight_bytes),
      min_copies_(options.min_copies),
      headroom_bytes_(options.headroom_bytes),
      checkpoint_bytes_(options.checkpoint_bytes),
      on_disk_failure_(options.on_disk_failure),
      state_(options.topic_defaults, options.node, options.first_controller),
      files_(disk, {.max_files = options.max_segment_files, .heavy_pool = options.heavy_pool}),
      room_(options.max_in_flight_bytes),
      on_controller_change_(options.on_controller_change),
      background_(loop) {}

io::Task<void> DurableState::Close() {
  background_.Cancel();
  co_await background_.Join();
  for (const auto& source : sources_) co_await source->replica->Close();
  // What is not in the segment files is in the journal, from which the next start takes it.
  if (writer_) co_await writer_->Stop();
  if (journal_) co_await journal_->Close();
}

std::shared_ptr<Partition> DurableState::FindPartition(PartitionId id) const {
  auto found = partitions_.find(id);
  return found == partitions_.end() ? nullptr : found->second;
}

std::string DurableState::TopicFolder(uint32_t topic) const {
  return fmt::format("{}/topics/{}", folder_, topic);
}

// --- Appending -----------------------------------------------------------------------------------

HybridTime DurableState::Now() {
  // Without a new stamp the last one does: stamps of records need not be unique.
  (void)clock_.Now();
  return clock_.last();
}

uint64_t DurableState::Append(const JournalRecord& record) {
  HybridTime time = Now();
  std::vector<uint8_t> body = EncodeJournalRecord(record);
  uint64_t end = journal_->Append({.body = body, .time = time});
  const JournalPlace place{.end_offset = end, .time = time, .author = state_.node()};
  Result<Applied> applied = state_.Apply(record, place);
  CHECK(applied);
  HandleApplied(*applied, place);
  return end;
}

void DurableState::AppendBatch(const wire::kafka::BatchHeader& header, PartitionId id,
                               std::vector<uint8_t> record, size_t prefix_bytes) {
  HybridTime time = Now();
  uint64_t end = journal_->Append({.body = record, .time = time});
  Result<BatchEffect> effect =
      state_.ApplyBatch(id, header, {.end_offset = end, .time = time, .author = state_.node()});
  CHECK(effect && *effect == BatchEffect::kWrite);
  writer_->Add({.partition = FindPartition(id),
                .record = std::move(record),
                .prefix_bytes = prefix_bytes,
                .next_offset = header.next_offset(),
                .author = state_.node(),
                .journal_end = end,
                .copies = CopiesOf(*state_.FindTopic(id.topic))});
}

io::Task<Result<void>> DurableState::DropBefore(std::shared_ptr<Partition> partition,
                                                int64_t log_start_offset) {
  Result<FiberMutex::Guard> guard = co_await files_mutex_.Lock();
  if (!guard) co_return Fail(std::move(guard.error()));
  if (partition->gone() || partition->log() == nullptr) co_return Result<void>{};
  co_return co_await partition->log()->DropBefore(log_start_offset);
}

io::Task<Result<void>> DurableState::EmptyBefore(std::shared_ptr<Partition> partition,
                                                 int64_t log_start_offset) {
  Result<FiberMutex::Guard> guard = co_await files_mutex_.Lock();
  if (!guard) co_return Fail(std::move(guard.error()));
  if (partition->gone() || partition->log() == nullptr) co_return Result<void>{};
  co_return co_await partition->log()->EmptyBefore(log_start_offset);
}

io::Task<Result<void>> DurableState::Compact(std::shared_ptr<Partition> partition,
                                             CompactionTimes times) {
  Result<FiberMutex::Guard> guard = co_await files_mutex_.Lock();
  if (!guard) co_return Fail(std::move(guard.error()));
  if (partition->gone() || partition->log() == nullptr || partition->compacted()) {
    co_return Result<void>{};
  }
  auto report = co_await partition->log()->Compact(
      {.limit_offset = partition->high_watermark(), .times = times});
  if (partition->log()->has_replaced()) partition->set_compacted(true);
  if (!report) co_return Fail(std::move(report.error()));
  co_return Result<void>{};
}

io::Task<Result<void>> DurableState::Repair(std::shared_ptr<Partition> partition,
                                            PartitionLog::SegmentPatch patch) {
  Result<FiberMutex::Guard> guard = co_await files_mutex_.Lock();
  if (!guard) co_return Fail(std::move(guard.error()));
  if (partition->gone() || partition->log() == nullptr) {
    co_return Fail(Errc::kNotFound, "{} was deleted", partition->name());
  }
  // The room that is left on a full disk is not for this.
  if (Result<void> writable = journal_->Writable(); !writable) co_return writable;
  const size_t before = partition->log()->damaged().size();
  Result<void> repaired = co_await partition->log()->RepairSegment(patch);
  if (repaired && partition->log()->damaged().size() < before) ++repaired_segments_;
  co_return repaired;
}

std::vector<LeaderEpochStart> DurableState::EpochsOf(PartitionId id) const {
  std::vector<LeaderEpochStart> epochs;
  const PartitionState* partition = state_.FindPartition(id);
  if (partition == nullptr) return epochs;
  for (const EpochStart& start : partition->epochs.starts()) {
    epochs.push_back({.start_offset = start.start_offset, .epoch = start.epoch});
  }
  return epochs;
}

// --- Topics --------------------------------------------------------------------------------------

void DurableState::MakePartition(const Topic& topic, PartitionId id) {
  auto [place, added] = partitions_.try_emplace(id);
  if (!added) return;
  place->second = std::make_shared<Partition>(id, fmt::format("{}-{}", topic.name, id.partition));
}

// Makes the partitions of a topic that are missing, or marks all as gone.
void DurableState::RefreshTopic(uint32_t number) {
  const Topic* topic = state_.FindTopic(number);
  if (topic != nullptr) {
    for (size_t i = 0; i < topic->partitions.size(); ++i) {
      MakePartition(*topic, {number, static_cast<uint32_t>(i)});
    }
    return;
  }
  auto at = partitions_.lower_bound({number, 0});
  while (at != partitions_.end() && at->first.topic == number) {
    at->second->MarkGone();
    at = partitions_.erase(at);
  }
}

void DurableState::ConfigureLogs(uint32_t number) {
  const Topic* topic = state_.FindTopic(number);
  for (size_t i = 0; i < topic->partitions.size(); ++i) {
    std::shared_ptr<Partition> partition = FindPartition({number, static_cast<uint32_t>(i)});
    if (partition->log() == nullptr) continue;
    partition->log()->Configure(static_cast<uint64_t>(topic->config.segment_bytes),
                                topic->config.segment_ms);
  }
}

// The folders of a topic that a crash left are removed at the next start.
io::Task<void> DurableState::RemoveFiles(uint32_t topic,
                                         std::vector<std::shared_ptr<Partition>> partitions,
                                         uint64_t journal_end) {
  for (;;) {
    Result<void> durable = co_await journal_->AwaitDurable(journal_end);
    if (durable) break;
    if (durable.error().code != Errc::kUnavailable) co_return;
  }
  for (const std::shared_ptr<Partition>& partition : partitions) {
    Result<FiberMutex::Guard> guard = co_await files_mutex_.Lock();
    if (!guard) co_return;
    SegmentWriter::Pause pause(*writer_);
    if (!co_await pause.AwaitIdle()) co_return;
    if (partition->log() == nullptr) continue;
    Result<void> removed = co_await partition->log()->Remove();
    if (!removed) {
      LOG_WARNING("a partition of a deleted topic cannot be removed",
                  {"partition", partition->name()}, {"problem", removed.error().message});
    }
  }
  (void)co_await RemoveFolder(topic);
}

// With everything in it.
io::Task<Result<void>> DurableState::RemoveFolder(uint32_t topic) {
  std::string folder = TopicFolder(topic);
  auto partitions = co_await disk_.ListFolders(folder);
  // Nothing was ever written to it.
  if (!partitions && partitions.error().code == Errc::kNotFound) co_return Result<void>{};
  if (!partitions) co_return Fail(std::move(partitions.error()));
  for (const std::string& partition : *partitions) {
    std::string inner = fmt::format("{}/{}", folder, partition);
    auto files = co_await disk_.List(inner);
    if (!files) co_return Fail(std::move(files.error()));
    for (const std::string& file : *files) {
      Result<void> removed = co_await disk_.Remove(fmt::format("{}/{}", inner, file));
      if (!removed) co_return removed;
    }
    Result<void> removed = co_await disk_.RemoveFolder(inner);
    if (!removed) co_return removed;
  }
  topic_folders_.erase(topic);
  co_return co_await disk_.RemoveFolder(folder);
}

}  // namespace meridian::queue
