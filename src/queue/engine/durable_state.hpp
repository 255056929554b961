// DurableState: the queue's state with what makes it durable: the journal, the copies of the other
// data centers' journals, the segment files of all partitions, checkpoints, and the recovery at a
// start. Every change here is appended to the journal and applied to the state in one step; whether
// a change is allowed is decided before, by the Engine. Records of a copy are applied when they are
// durable in it.
//
// A checkpoint is the journal's snapshot. It syncs the segment files, then remembers how far they
// are synced and how far the copies are applied, so the records below are not needed any more. A
// start cuts the segment files off there, and writes the batches of later records to them again:
// first those of the own journal, then those of the copies. That order is right because a topic
// comes here only behind a checkpoint that has what is applied of its last home (Engine::Promote).
//
// Owned by the Engine; one thread: the loop's. Await Close before destroying it. Invariants: a
// record is applied in the order of the journal; a partition's segment files end at its high
// watermark.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/hybrid_clock.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "queue/engine/engine.hpp"
#include "queue/engine/fiber_mutex.hpp"
#include "queue/engine/in_flight_room.hpp"
#include "queue/engine/partition.hpp"
#include "queue/engine/segment_writer.hpp"
#include "queue/partition/compaction.hpp"
#include "queue/partition/partition_log.hpp"
#include "queue/partition/segment_files.hpp"
#include "queue/partition/segment_scan.hpp"
#include "queue/state/journal_record.hpp"
#include "queue/state/queue_state.hpp"
#include "queue/state/snapshot_item.hpp"
#include "store/applier.hpp"
#include "store/journal.hpp"
#include "store/log/record.hpp"
#include "store/replica.hpp"
#include "store/snapshot/snapshot.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::queue {

class DurableState final : private store::JournaledState {
 public:
  using Partitions = std::map<PartitionId, std::shared_ptr<Partition>>;

  // Errors: as Engine::Open.
  static io::Task<Result<std::unique_ptr<DurableState>>> Open(io::Loop& loop, io::Disk& disk,
                                                              HybridClock& clock,
                                                              const EngineOptions& options);
  io::Task<void> Close();

  const QueueState& state() const { return state_; }
  const Partitions& partitions() const { return partitions_; }
  // Null: there is no such partition.
  std::shared_ptr<Partition> FindPartition(PartitionId id) const;
  InFlightRoom& room() { return room_; }

  // A record of a peer's journal that is durable here. kInvalid: it does not fit.
  Result<void> ApplyMirrored(NodeId author, const store::Record& record);
  // A record of a peer's journal has come, and will be applied. If it moves the home of a topic
  // away from here, nothing of that topic is acknowledged any more.
  void FenceFor(NodeId author, const store::Record& record);
  // A batch that was fetched from the topic's home, because the mirror lacked it. kInvalid: it does
  // not follow what is there. The batch is durable at the next checkpoint.
  Result<void> AddFetched(PartitionId id, Bytes batch);
  // The home has nothing below `offset` any more.
  io::Task<Result<void>> SkipTo(PartitionId id, int64_t offset);
  // Batches wait for copies from now on.
  void set_gate(MirrorGate* gate) {
    gate_ = gate;
    writer_->set_gate(gate);
  }
  // As AwaitDurable, and waits for the copies that the site wants.
  io::Task<Result<void>> AwaitCopied(uint64_t journal_end);
  struct Source {
    NodeId node = 0;
    std::unique_ptr<store::Applier> applier;
    std::unique_ptr<store::Replica> replica;
  };
  const std::vector<std::unique_ptr<Source>>& sources() const { return sources_; }
  store::Journal& journal() { return *journal_; }
  // Waits until at most `bytes` of batches are left to be written. kCancelled.
  io::Task<Result<void>> AwaitWritten(size_t bytes) { return writer_->AwaitPending(bytes); }
  // Whether batches of this node's journal wait for the segment files.
  bool IsWriting(NodeId node) const { return writer_->oldest_pending(node).has_value(); }
  // Topics that were lost, and partitions that were cut off, since the start.
  size_t set_aside() const { return set_aside_; }
  std::string set_aside_folder() const { return folder_ + "/set-aside"; }

  // See store::Journal.
  Result<void> Writable() const { return journal_->Writable(); }
  // Why checkpoints, or writes to segment files, fail. Empty: they do not.
  std::string background_problem() const;
  io::Task<Result<void>> AwaitDurable(uint64_t journal_end) {
    return journal_->AwaitDurable(journal_end);
  }
  io::Task<Result<void>> CheckpointNow();
  uint64_t journal_end() const { return journal_->end_offset(); }
  uint64_t journal_bytes() const { return journal_->log().bytes(); }
  const store::GroupCounts& journal_written() const { return journal_->log().written(); }
  size_t open_segment_files() const { return files_.open(); }

  // A stamp for what is decided now.
  HybridTime Now();
  // Appends and applies a record, which must fit the state; the journal's end offset behind it.
  uint64_t Append(const JournalRecord& record);
  // The same for a batch, whose room was reserved. `header` is that of the batch in `record`, which
  // holds the prefix and the batch.
  void AppendBatch(const wire::kafka::BatchHeader& header, PartitionId id,
                   std::vector<uint8_t> record, size_t prefix_bytes);
  // Removes what is below `log_start_offset` from the segment files. The record that moves the log
  // start is durable.
  io::Task<Result<void>> DropBefore(std::shared_ptr<Partition> partition, int64_t log_start_offset);
  // The same while the disk is too full for the record, which follows.
  io::Task<Result<void>> EmptyBefore(std::shared_ptr<Partition> partition,
                                     int64_t log_start_offset);
  // Writes batches of another data center over damaged ones (PartitionLog::RepairSegment).
  io::Task<Result<void>> Repair(std::shared_ptr<Partition> partition,
                                PartitionLog::SegmentPatch patch);
  // Segments that were damaged and are whole since, by repairs.
  uint64_t repaired_segments() const { return repaired_segments_; }
  // Where the leader epochs of a partition begin.
  std::vector<LeaderEpochStart> EpochsOf(PartitionId id) const;
  // See SegmentFiles.
  io::Task<Result<void>> AwaitSuspect() { return files_.AwaitSuspect(); }
  // Compacts the segment files. Does nothing until the last compaction is in a checkpoint.
  io::Task<Result<void>> Compact(std::shared_ptr<Partition> partition, CompactionTimes times);

 private:
  class SourceApplier;
  DurableState(io::Loop& loop, io::Disk& disk, HybridClock& clock, const EngineOptions& options);
  std::string TopicFolder(uint32_t topic) const;

  // Recovery.
  io::Task<Result<void>> OpenAll(const EngineOptions& options);
  io::Task<Result<void>> RecoverAll();
  io::Task<Result<void>> OpenLog(Partition& partition);
  io::Task<Result<void>> OpenLogs();
  io::Task<void> OpenSome(std::vector<std::shared_ptr<Partition>>& left, Result<void>& result);
  io::Task<Result<void>> FitToState(std::shared_ptr<Partition> partition);
  Result<void> CheckComplete() const;
  io::Task<Result<void>> RemoveOrphans();

  // Other data centers' records (mirrored_state.cpp).
  io::Task<Result<void>> OpenSources(const EngineOptions& options);
  io::Task<Result<void>> ReplaySources();
  void HandleApplied(Applied& applied, JournalPlace place);
  void FenceOlderEpochs();
  void LoseTopic(uint32_t topic);
  io::Task<Result<void>> SetLostAside();
  io::Task<void> SetLostAsideNow();
  io::Task<Result<void>> OpenLostLog(Partition& partition);
  io::Task<Result<void>> SetAside(std::shared_ptr<Partition> partition, int64_t from_offset,
                                  int32_t epoch);
  io::Task<Result<void>> Cut(std::shared_ptr<Partition> partition, PartitionCut cut);
  std::vector<std::shared_ptr<Partition>> TakePartitions(uint32_t topic);
  size_t CopiesOf(const Topic& topic) const;

  // Topics.
  void RefreshTopic(uint32_t topic);
  void MakePartition(const Topic& topic, PartitionId id);
  void ConfigureLogs(uint32_t topic);
  io::Task<void> RemoveFiles(uint32_t topic, std::vector<std::shared_ptr<Partition>> partitions,
                             uint64_t journal_end);
  io::Task<Result<void>> RemoveFolder(uint32_t topic);

  // store::JournaledState
  void BeginLoading() override {}
  Result<void> LoadItem(Bytes item) override;
  void EndLoading() override {}
  Result<void> Apply(const store::Record& record) override;
  bool at_boundary() const override { return true; }
  io::Task<Result<void>> AwaitRoom() override { return writer_->AwaitPending(max_in_flight_); }
  uint64_t memory_bytes() const override;
  uint64_t BeginSnapshot(uint64_t durable_end_offset) override;
  io::Task<Result<void>> WriteItems(store::SnapshotWriter& writer) override;
  io::Task<Result<void>> WritePartitions(store::SnapshotWriter& writer);
  bool HasPendingOfFormerHomes() const;
  io::Task<Result<std::optional<SnapshotItems>>> SyncSlice(
      std::vector<std::shared_ptr<Partition>> slice);
  io::Task<Result<void>> Sync(std::vector<PartitionLog*> logs);
  io::Task<Result<void>> MakeRoomForFiles(size_t files);
  std::vector<std::shared_ptr<Partition>> LongestUnsynced() const;
  io::Task<Result<void>> WriteGroups(store::SnapshotWriter& writer);
  void EndSnapshot(bool written) override;
  io::Task<void> RemoveReplaced(std::vector<std::shared_ptr<Partition>> partitions);
  io::Task<void> CheckpointRegularly(Duration interval);
  bool HasNews() const;
  bool CopiesAreLong() const;

  io::Loop& loop_;
  io::Disk& disk_;
  HybridClock& clock_;
  std::string folder_;
  size_t max_in_flight_;
  size_t min_copies_;
  uint64_t headroom_bytes_;
  uint64_t checkpoint_bytes_;
  store::OnDiskFailure on_disk_failure_;
  QueueState state_;
  SegmentFiles files_;
  Partitions partitions_;
  std::set<uint32_t> topic_folders_;  // that were made
  InFlightRoom room_;
  std::unique_ptr<store::Journal> journal_;
  std::unique_ptr<SegmentWriter> writer_;
  std::vector<std::unique_ptr<Source>> sources_;
  AppliedJournals applied_journals_;           // of the snapshot that was loaded
  AppliedJournals snapshot_applied_journals_;  // of the one that is being written
  // Of lost topics, whose messages are not set aside yet.
  std::vector<std::pair<uint32_t, std::vector<std::shared_ptr<Partition>>>> lost_;
  uint64_t lost_topics_ = 0;           // since the start
  uint64_t snapshot_lost_topics_ = 0;  // when the snapshot began
  MirrorGate* gate_ = nullptr;
  bool recovered_ = false;
  Controller known_controller_;
  std::function<void()> on_controller_change_;
  size_t set_aside_ = 0;
  uint64_t repaired_segments_ = 0;
  // Held by who syncs segment files, or removes or opens some.
  FiberMutex files_mutex_;
  // Held by who syncs segment files: beside the one above by a checkpoint, alone to make room.
  FiberMutex sync_mutex_;
  // Whose compaction is in the snapshot that is being written.
  std::vector<std::shared_ptr<Partition>> compacted_;
  uint64_t checkpoint_end_ = 0;  // of the journal's records that the last checkpoint covers
  uint64_t snapshot_end_ = 0;    // of those that the snapshot being written covers
  io::Scope background_;
};

}  // namespace meridian::queue
