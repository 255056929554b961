// DurableState: the start.
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/core.h>

#include "base/bytes.hpp"
#include "base/hybrid_clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "queue/engine/durable_state.hpp"
#include "queue/engine/engine.hpp"
#include "queue/engine/partition.hpp"
#include "queue/engine/segment_writer.hpp"
#include "queue/partition/partition_log.hpp"
#include "queue/partition/segment.hpp"
#include "queue/state/journal_record.hpp"
#include "queue/state/limits.hpp"
#include "queue/state/queue_state.hpp"
#include "queue/state/snapshot_item.hpp"
#include "store/journal.hpp"
#include "store/log/record.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::queue {
namespace {

// Partitions whose segment files are opened at a time.
constexpr size_t kOpeners = 8;

std::vector<uint8_t> CopyOf(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace

io::Task<Result<std::unique_ptr<DurableState>>> DurableState::Open(io::Loop& loop, io::Disk& disk,
                                                                   HybridClock& clock,
                                                                   const EngineOptions& options) {
  std::unique_ptr<DurableState> durable(new DurableState(loop, disk, clock, options));
  Result<void> opened = co_await durable->OpenAll(options);
  if (!opened) {
    co_await durable->Close();
    co_return Fail(std::move(opened.error()));
  }
  co_return durable;
}

io::Task<Result<void>> DurableState::OpenAll(const EngineOptions& options) {
  for (std::string folder : {folder_, folder_ + "/topics"}) {
    Result<void> made = co_await disk_.MakeFolder(std::move(folder));
    if (!made) co_return made;
  }
  auto journal = co_await store::Journal::Open(loop_, disk_, clock_,
                                               {.folder = folder_ + "/journal",
                                                .name = std::string(kJournalName),
                                                .log_id = options.journal_id,
                                                .segment_bytes = options.journal_segment_bytes,
                                                .headroom_bytes = options.headroom_bytes,
                                                .snapshot_log_bytes = options.checkpoint_bytes,
                                                .on_disk_failure = options.on_disk_failure});
  if (!journal) co_return Fail(std::move(journal.error()));
  journal_ = std::move(*journal);
  writer_ = std::make_unique<SegmentWriter>(SegmentWriter::Parts{
      .loop = loop_,
      .disk = disk_,
      .journal = *journal_,
      .node = state_.node(),
      .room = room_,
      .on_disk_failure = on_disk_failure_,
      .open_log = [this](Partition& partition) { return OpenLog(partition); },
      .make_room = [this](size_t files) { return MakeRoomForFiles(files); },
      .cut = [this](std::shared_ptr<Partition> partition,
                    PartitionCut cut) { return Cut(std::move(partition), cut); },
      .max_partitions = std::max<size_t>(files_.max_files() / kWriteGroupShare, 1)});
  writer_->Start();
  Result<void> recovered = co_await OpenSources(options);
  if (recovered) recovered = co_await RecoverAll();
  if (!recovered) co_return recovered;
  recovered_ = true;
  FenceOlderEpochs();
  if (journal_->snapshots().newest()) {
    checkpoint_end_ = journal_->snapshots().newest()->end_offset;
  }
  journal_->StartSnapshots(*this);
  background_.Spawn(CheckpointRegularly(options.checkpoint_interval));
  co_return Result<void>{};
}

io::Task<Result<void>> DurableState::RecoverAll() {
  Result<void> done = co_await journal_->Recover(*this);
  if (done && !state_.has_format()) Append(FormatRecord{.node = state_.node()});
  if (done) done = co_await ReplaySources();
  if (done) done = co_await writer_->AwaitPending(0);
  if (done) done = CheckComplete();
  if (done) done = co_await OpenLogs();
  if (done) done = co_await SetLostAside();
  if (done) done = co_await RemoveOrphans();
  if (!done) co_return done;
  LOG_INFO("queue recovered", {"topics", state_.topics().size()},
           {"partitions", state_.partitions()}, {"groups", state_.groups().groups().size()},
           {"journal_records", journal_->end_offset()});
  co_return Result<void>{};
}

// --- Loading and replaying -----------------------------------------------------------------------

Result<void> DurableState::LoadItem(Bytes item) {
  PositionSink positions;
  positions.set = [this](PartitionId id, PartitionPosition position) {
    RefreshTopic(id.topic);
    FindPartition(id)->set_position(std::move(position));
  };
  positions.add = [this](PartitionId id, std::span<const SegmentPosition> segments) {
    std::shared_ptr<Partition> partition = FindPartition(id);
    return partition != nullptr && partition->AddSegments(segments);
  };
  return RestoreItem(item, state_, {.positions = positions, .applied = applied_journals_});
}

Result<void> DurableState::Apply(const store::Record& record) {
  return ApplyMirrored(state_.node(), record);
}

Result<void> DurableState::ApplyMirrored(NodeId author, const store::Record& record) {
  Result<JournalRecord> decoded = DecodeJournalRecord(record.body);
  if (!decoded) return Fail(std::move(decoded.error()));
  JournalPlace place{.end_offset = record.end_offset(), .time = record.time, .author = author};
  const auto* batch = std::get_if<BatchRecord>(&*decoded);
  if (batch == nullptr) {
    Result<Applied> applied = state_.Apply(*decoded, place);
    if (!applied) return Fail(std::move(applied.error()));
    HandleApplied(*applied, place);
    return {};
  }
  auto header = wire::kafka::ReadBatchHeader(batch->batch);
  if (!header) return Fail(std::move(header.error()));
  if (header->bytes != batch->batch.size()) {
    return Fail(Errc::kInvalid, "a record of a batch in the queue's journal has {} bytes, not {}",
                batch->batch.size(), header->bytes);
  }
  Result<BatchEffect> effect = state_.ApplyBatch(batch->partition, *header, place);
  if (!effect) return Fail(std::move(effect.error()));
  if (*effect != BatchEffect::kWrite) return {};
  RefreshTopic(batch->partition.topic);
  room_.Take(header->bytes);
  writer_->Add({.partition = FindPartition(batch->partition),
                .record = CopyOf(record.body),
                .prefix_bytes = record.body.size() - header->bytes,
                .next_offset = header->next_offset(),
                .author = author,
                .journal_end = record.end_offset()});
  return {};
}

Result<void> DurableState::CheckComplete() const {
  for (const auto& [number, topic] : state_.topics()) {
    bool missing = std::ranges::any_of(topic.partitions, &PartitionState::missing);
    if (missing) {
      return Fail(Errc::kInvalid, "the snapshot of the queue lacks partitions of topic {}",
                  topic.name);
    }
  }
  return {};
}

// --- Segment files -------------------------------------------------------------------------------

io::Task<Result<void>> DurableState::OpenLog(Partition& partition) {
  uint32_t number = partition.id().topic;
  const Topic* topic = state_.FindTopic(number);
  if (topic == nullptr) co_return Fail(Errc::kNotFound, "{} was deleted", partition.name());
  PartitionOptions options{
      .folder = fmt::format("{}/{}", TopicFolder(number), partition.id().partition),
      .segment_bytes = static_cast<uint64_t>(topic->config.segment_bytes),
      .segment_ms = topic->config.segment_ms};
  if (topic_folders_.insert(number).second) {
    Result<void> made = co_await disk_.MakeFolder(TopicFolder(number));
    if (!made) {
      topic_folders_.erase(number);
      co_return made;
    }
  }
  auto log = co_await PartitionLog::Open(files_, std::move(options), partition.position());
  if (!log) co_return Fail(std::move(log.error()));
  partition.set_log(std::move(*log));
  co_return Result<void>{};
}

io::Task<Result<void>> DurableState::OpenLogs() {
  std::vector<std::shared_ptr<Partition>> left;
  for (const auto& [id, partition] : partitions_) left.push_back(partition);
  Result<void> result;
  io::Scope scope(loop_);
  for (size_t i = 0; i < kOpeners; ++i) scope.Spawn(OpenSome(left, result));
  co_await scope.Join();
  co_return result;
}

io::Task<void> DurableState::OpenSome(std::vector<std::shared_ptr<Partition>>& left,
                                      Result<void>& result) {
  while (result && !left.empty()) {
    std::shared_ptr<Partition> partition = std::move(left.back());
    left.pop_back();
    Result<void> done;
    bool written = partition->position().end_offset > 0;
    if (partition->log() == nullptr && written) done = co_await OpenLog(*partition);
    if (done && partition->log() != nullptr) done = co_await FitToState(partition);
    if (!done) result = std::move(done);
  }
}

// Removes what is below the log start, which may have moved since the checkpoint, and reports
// damage above it.
io::Task<Result<void>> DurableState::FitToState(std::shared_ptr<Partition> partition) {
  const PartitionState* state = state_.FindPartition(partition->id());
  PartitionLog& log = *partition->log();
  if (state->log_start_offset > log.log_start_offset()) {
    Result<void> dropped = co_await log.DropBefore(state->log_start_offset);
    if (!dropped) co_return dropped;
  }
  for (const DamagedSegment& damaged : log.damaged()) {
    // Retention did it at the topic's home while the disk was too full for the record that says so.
    // The file stays until the record is written: another start would take it for lost.
    if (damaged.emptied && state_.IsHome(*state_.FindTopic(partition->id().topic))) {
      LOG_INFO("retention has emptied a segment file, and the log start moves behind it",
               {"partition", partition->name()}, {"file", damaged.path},
               {"log_start_offset", damaged.end_offset});
      Result<void> emptied = co_await log.EmptyBefore(damaged.end_offset);
      if (!emptied) co_return emptied;
      continue;
    }
    LOG_ERROR("a segment file is damaged", {"partition", partition->name()}, {"file", damaged.path},
              {"base_offset", damaged.base_offset}, {"end_offset", damaged.end_offset},
              {"bytes", damaged.file_bytes}, {"expected_bytes", damaged.expected_bytes});
  }
  co_return Result<void>{};
}

// Removes the folders of topics whose deletion a crash interrupted, or whose creation is not in the
// journal.
io::Task<Result<void>> DurableState::RemoveOrphans() {
  auto folders = co_await disk_.ListFolders(folder_ + "/topics");
  if (!folders) co_return Fail(std::move(folders.error()));
  for (const std::string& name : *folders) {
    uint32_t number = 0;
    auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    bool ours = error == std::errc{} && end == name.data() + name.size();
    if (!ours || state_.FindTopic(number) != nullptr) continue;
    LOG_INFO("the folder of a deleted topic is removed", {"folder", TopicFolder(number)});
    Result<void> removed = co_await RemoveFolder(number);
    if (!removed) co_return removed;
  }
  co_return Result<void>{};
}

}  // namespace meridian::queue
