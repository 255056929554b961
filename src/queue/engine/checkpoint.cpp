// DurableState: checkpoints.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "queue/engine/durable_state.hpp"
#include "queue/engine/fiber_mutex.hpp"
#include "queue/engine/partition.hpp"
#include "queue/engine/segment_writer.hpp"
#include "queue/partition/partition_log.hpp"
#include "queue/state/journal_record.hpp"
#include "queue/state/limits.hpp"
#include "queue/state/queue_state.hpp"
#include "queue/state/snapshot_item.hpp"
#include "store/replica.hpp"
#include "store/snapshot/snapshot.hpp"

namespace meridian::queue {
namespace {

// About what a partition, a producer and a committed offset take in memory.
constexpr uint64_t kPartitionBytes = 500;
constexpr uint64_t kProducerBytes = 300;
constexpr uint64_t kOffsetBytes = 150;

io::Task<Result<void>> AddAll(const SnapshotItems& items, store::SnapshotWriter& writer) {
  for (const auto& item : items) {
    Result<void> added = co_await writer.Add(item);
    if (!added) co_return added;
  }
  co_return Result<void>{};
}

}  // namespace

std::string DurableState::background_problem() const {
  if (!writer_->problem().empty()) return writer_->problem();
  return journal_->snapshot_problem();
}

uint64_t DurableState::memory_bytes() const {
  return state_.partitions() * kPartitionBytes + state_.producers().size() * kProducerBytes +
         state_.groups().size() * kOffsetBytes + state_.groups().metadata_bytes();
}

// Records of batches that are not in the segment files yet are not covered.
uint64_t DurableState::BeginSnapshot(uint64_t durable_end_offset) {
  compacted_.clear();
  snapshot_lost_topics_ = lost_topics_;
  snapshot_applied_journals_.clear();
  for (const auto& source : sources_) {
    const store::Replica& replica = *source->replica;
    if (replica.log_id() == 0) continue;
    snapshot_applied_journals_[replica.log_id()] =
        std::min(replica.applied(), writer_->oldest_pending(source->node).value_or(UINT64_MAX));
  }
  snapshot_end_ =
      std::min(durable_end_offset, writer_->oldest_pending(state_.node()).value_or(UINT64_MAX));
  return snapshot_end_;
}

void DurableState::EndSnapshot(bool written) {
  if (!written) return;
  checkpoint_end_ = snapshot_end_;
  for (const auto& source : sources_) {
    store::Replica& replica = *source->replica;
    auto applied = snapshot_applied_journals_.find(replica.log_id());
    if (applied != snapshot_applied_journals_.end()) replica.Release(applied->second);
  }
  background_.Spawn(RemoveReplaced(std::move(compacted_)));
}

io::Task<void> DurableState::RemoveReplaced(std::vector<std::shared_ptr<Partition>> partitions) {
  for (const std::shared_ptr<Partition>& partition : partitions) {
    Result<FiberMutex::Guard> guard = co_await files_mutex_.Lock();
    if (!guard) co_return;
    if (partition->gone()) continue;
    Result<void> removed = co_await partition->log()->RemoveReplaced();
    if (removed) partition->set_compacted(false);
    if (!removed) {
      LOG_WARNING("segment files that a compaction has replaced cannot be removed",
                  {"partition", partition->name()}, {"problem", removed.error().message});
    }
  }
}

// Batches that a data center wrote before the home moved away from it.
bool DurableState::HasPendingOfFormerHomes() const {
  return std::ranges::any_of(writer_->pending(), [this](const PendingBatch& each) {
    if (each.cut || each.journal_end == 0) return false;
    const Topic* topic = state_.FindTopic(each.partition->id().topic);
    return topic != nullptr && topic->home != each.author;
  });
}

// The topics come first: of a topic that is made later all records are replayed. But a start that
// reads the present home from the checkpoint does not replay the batches of a former one, so they
// are in the segment files before.
io::Task<Result<void>> DurableState::WriteItems(store::SnapshotWriter& writer) {
  while (HasPendingOfFormerHomes()) {
    if (Result<void> slept = co_await io::Sleep(kCutPause); !slept) co_return slept;
  }
  SnapshotItems topics = TopicItems(state_);
  topics.push_back(AppliedJournalsItem(snapshot_applied_journals_));
  Result<void> written = co_await AddAll(topics, writer);
  if (written) written = co_await WritePartitions(writer);
  if (written) written = co_await WriteGroups(writer);
  // A start would remove their files.
  if (written && (!lost_.empty() || lost_topics_ != snapshot_lost_topics_)) {
    co_return Fail(Errc::kUnavailable, "messages of a topic are not set aside yet");
  }
  co_return written;
}

io::Task<Result<void>> DurableState::WritePartitions(store::SnapshotWriter& writer) {
  std::vector<std::shared_ptr<Partition>> left;
  for (const auto& [id, partition] : partitions_) left.push_back(partition);
  while (!left.empty()) {
    std::vector<std::shared_ptr<Partition>> slice;
    while (!left.empty() && slice.size() < kPartitionsPerSlice) {
      slice.push_back(std::move(left.back()));
      left.pop_back();
    }
    Result<std::optional<SnapshotItems>> items = co_await SyncSlice(slice);
    while (items && !*items) {
      if (Result<void> slept = co_await io::Sleep(kCutPause); !slept) co_return slept;
      items = co_await SyncSlice(slice);
    }
    if (!items) co_return Fail(std::move(items.error()));
    Result<void> added = co_await AddAll(**items, writer);
    if (!added) co_return added;
  }
  co_return Result<void>{};
}

// The items of partitions whose segment files are synced now. Nothing: one of them is about to be
// cut off, so that its files do not fit its state.
io::Task<Result<std::optional<SnapshotItems>>> DurableState::SyncSlice(
    std::vector<std::shared_ptr<Partition>> slice) {
  Result<FiberMutex::Guard> guard = co_await files_mutex_.Lock();
  if (!guard) co_return Fail(std::move(guard.error()));
  std::erase_if(slice, [](const auto& partition) { return partition->gone(); });
  std::vector<PartitionLog*> logs;
  for (const auto& partition : slice) {
    if (partition->log() != nullptr) logs.push_back(partition->log());
  }
  Result<void> synced = co_await Sync(std::move(logs));
  if (!synced) co_return Fail(std::move(synced.error()));
  if (std::ranges::any_of(slice, [](const auto& partition) { return partition->is_being_cut(); })) {
    co_return std::nullopt;
  }
  SnapshotItems items;
  for (const auto& partition : slice) {
    PartitionPosition position;
    if (partition->log() != nullptr) position = partition->log()->position();
    if (partition->compacted()) compacted_.push_back(partition);
    for (auto& item : PartitionItems(state_, partition->id(), position)) {
      items.push_back(std::move(item));
    }
  }
  co_return items;
}

io::Task<Result<void>> DurableState::Sync(std::vector<PartitionLog*> logs) {
  Result<FiberMutex::Guard> guard = co_await sync_mutex_.Lock();
  if (!guard) co_return Fail(std::move(guard.error()));
  Result<void> synced = co_await SyncLogs(files_, logs);
  // The same sync tried again may succeed without having written anything.
  if (!synced && synced.error().code == Errc::kIo) on_disk_failure_(synced.error());
  co_return synced;
}

// Syncs segments, so that their files can be closed. Those that readers have stay open: then
// writing uses the part of the limit that reading leaves to it.
io::Task<Result<void>> DurableState::MakeRoomForFiles(size_t files) {
  files = std::min(files, files_.max_files() / 2);
  for (size_t i = 0; i < kSyncShare && !files_.HasRoomFor(files); ++i) {
    std::vector<std::shared_ptr<Partition>> partitions = LongestUnsynced();
    std::vector<PartitionLog*> logs;
    for (const auto& partition : partitions) logs.push_back(partition->log());
    Result<void> synced = co_await Sync(std::move(logs));
    if (!synced) co_return synced;
  }
  co_return Result<void>{};
}

// A part of the partitions with segments that are not synced.
std::vector<std::shared_ptr<Partition>> DurableState::LongestUnsynced() const {
  std::vector<std::pair<uint64_t, std::shared_ptr<Partition>>> unsynced;
  for (const auto& [id, partition] : partitions_) {
    if (partition->log() == nullptr) continue;
    std::optional<uint64_t> since = partition->log()->unsynced_since();
    if (since) unsynced.emplace_back(*since, partition);
  }
  std::ranges::sort(unsynced);
  unsynced.resize((unsynced.size() + kSyncShare - 1) / kSyncShare);
  std::vector<std::shared_ptr<Partition>> longest;
  for (auto& [since, partition] : unsynced) longest.push_back(std::move(partition));
  return longest;
}

io::Task<Result<void>> DurableState::WriteGroups(store::SnapshotWriter& writer) {
  std::vector<std::string> names;
  for (const auto& [name, group] : state_.groups().groups()) names.push_back(name);
  for (size_t i = 0; i < names.size(); ++i) {
    Result<void> added = co_await AddAll(GroupItems(state_, names[i]), writer);
    if (added && i % kPartitionsPerSlice == 0) added = co_await io::Sleep(Duration::zero());
    if (!added) co_return added;
  }
  co_return Result<void>{};
}

// A snapshot covers at least one record of the journal more than the last one.
io::Task<Result<void>> DurableState::CheckpointNow() {
  if (journal_->end_offset() <= checkpoint_end_) Append(FormatRecord{.node = state_.node()});
  Result<void> durable = co_await journal_->AwaitDurable(journal_->end_offset());
  if (!durable) co_return durable;
  co_return co_await journal_->WriteSnapshotNow();
}

bool DurableState::HasNews() const {
  if (journal_->end_offset() > checkpoint_end_) return true;
  return std::ranges::any_of(sources_, [this](const auto& source) {
    auto known = snapshot_applied_journals_.find(source->replica->log_id());
    return source->replica->applied() > 0 && (known == snapshot_applied_journals_.end() ||
                                              source->replica->applied() > known->second);
  });
}

bool DurableState::CopiesAreLong() const {
  return std::ranges::any_of(sources_, [this](const auto& source) {
    return source->replica->copy_bytes() >= checkpoint_bytes_;
  });
}

io::Task<void> DurableState::CheckpointRegularly(Duration interval) {
  TimePoint due = loop_.After(interval);
  while (co_await io::Sleep(std::min(interval, kCheckpointLook))) {
    if (loop_.Now() < due && !CopiesAreLong()) continue;
    due = loop_.After(interval);
    if (!HasNews()) continue;
    Result<void> done = co_await CheckpointNow();
    if (!done && done.error().code == Errc::kCancelled) co_return;
  }
}

}  // namespace meridian::queue
