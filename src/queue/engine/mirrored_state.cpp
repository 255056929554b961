// DurableState: what other data centers' journals change here, and what is set aside because it
// does not count any more.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/core.h>

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "queue/engine/durable_state.hpp"
#include "queue/engine/engine.hpp"
#include "queue/engine/fiber_mutex.hpp"
#include "queue/engine/partition.hpp"
#include "queue/engine/segment_writer.hpp"
#include "queue/engine/set_aside.hpp"
#include "queue/partition/partition_log.hpp"
#include "queue/state/journal_record.hpp"
#include "queue/state/limits.hpp"
#include "queue/state/queue_state.hpp"
#include "queue/state/snapshot_item.hpp"
#include "store/applier.hpp"
#include "store/log/log.hpp"
#include "store/log/record.hpp"
#include "store/replica.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::queue {

namespace {

// The place of what a snapshot says: until it is in the segment files, nothing of the journal
// counts as applied.
constexpr uint64_t kOfSnapshot = 1;

}  // namespace

// Applies a copy of the journal of one peer.
class DurableState::SourceApplier final : public store::Applier {
 public:
  SourceApplier(DurableState& durable, NodeId author) : durable_(durable), author_(author) {}

  void BeginLoading() override {}
  Result<void> LoadItem(Bytes item) override {
    Result<Applied> applied = LearnItem(item, durable_.state_, author_);
    if (!applied) return Fail(std::move(applied.error()));
    durable_.HandleApplied(*applied, {.end_offset = kOfSnapshot, .author = author_});
    return {};
  }
  void EndLoading() override {
    Applied applied{.lost = durable_.state_.EndLearning(author_)};
    durable_.HandleApplied(applied, {.end_offset = kOfSnapshot, .author = author_});
  }
  Result<void> Apply(const store::Record& record) override {
    return durable_.ApplyMirrored(author_, record);
  }
  io::Task<Result<void>> AwaitRoom() override {
    return durable_.writer_->AwaitPending(durable_.max_in_flight_);
  }
  bool at_boundary() const override { return true; }

 private:
  DurableState& durable_;
  NodeId author_;
};

io::Task<Result<void>> DurableState::OpenSources(const EngineOptions& options) {
  for (const PeerNode& peer : options.peers) {
    auto replica =
        co_await store::Replica::Open(loop_, disk_,
                                      {.source = peer.name,
                                       .log = std::string(kJournalName),
                                       .folder = fmt::format("{}/from-{}", folder_, peer.name),
                                       .segment_bytes = options.journal_segment_bytes,
                                       .headroom_bytes = options.headroom_bytes,
                                       .on_disk_failure = options.on_disk_failure});
    if (!replica) co_return Fail(std::move(replica.error()));
    sources_.push_back(std::make_unique<Source>(
        Source{.node = peer.node,
               .applier = std::make_unique<SourceApplier>(*this, peer.node),
               .replica = std::move(*replica)}));
  }
  co_return Result<void>{};
}

io::Task<Result<void>> DurableState::ReplaySources() {
  for (const auto& source : sources_) {
    Result<void> done = co_await source->replica->Replay(*source->applier, applied_journals_);
    if (!done) co_return done;
  }
  co_return Result<void>{};
}

size_t DurableState::CopiesOf(const Topic& topic) const {
  const auto wanted = static_cast<size_t>(std::max<int64_t>(topic.config.sync_datacenters, 0));
  return std::min(std::max(wanted, min_copies_), sources_.size());
}

io::Task<Result<void>> DurableState::AwaitCopied(uint64_t journal_end) {
  Result<void> done = co_await journal_->AwaitDurable(journal_end);
  const size_t copies = std::min(min_copies_, sources_.size());
  if (!done || gate_ == nullptr || copies == 0 || journal_end == 0) co_return done;
  co_return co_await gate_->Await(journal_end, copies);
}

Result<void> DurableState::AddFetched(PartitionId id, Bytes batch) {
  auto header = wire::kafka::CheckStoredBatch(batch);
  if (!header) return Fail(std::move(header.error()));
  Result<void> applied = state_.ApplyFetched(id, *header, clock_.last());
  if (!applied) return applied;
  RefreshTopic(id.topic);
  room_.Take(header->bytes);
  writer_->Add({.partition = FindPartition(id),
                .record = {batch.begin(), batch.end()},
                .next_offset = header->next_offset()});
  return {};
}

io::Task<Result<void>> DurableState::SkipTo(PartitionId id, int64_t offset) {
  Result<void> written = co_await writer_->AwaitPending(0);
  std::shared_ptr<Partition> partition = FindPartition(id);
  if (!written || partition == nullptr) co_return written;
  state_.SkipTo(id, offset);
  partition->Commit(std::max(offset, partition->high_watermark()), 0);
  if (partition->log() == nullptr) co_return Result<void>{};
  co_return co_await DropBefore(partition, partition->log()->end_offset());
}

// --- What a record means for the files -----------------------------------------------------------

void DurableState::HandleApplied(Applied& applied, JournalPlace place) {
  if (const Topic* topic = state_.FindTopic(applied.topic); topic != nullptr) {
    RefreshTopic(applied.topic);
    ConfigureLogs(applied.topic);
  }
  // The cuts say where the new home has begun.
  for (const auto& [id, offset] : applied.cuts) {
    std::shared_ptr<Partition> partition = FindPartition(id);
    if (partition == nullptr) continue;
    partition->BeginCut(offset);
    const int32_t epoch = state_.FindTopic(id.topic)->leader_epoch;
    writer_->Add({.partition = std::move(partition),
                  .author = place.author,
                  .journal_end = place.end_offset,
                  .cut = PartitionCut{.offset = offset, .epoch = epoch}});
  }
  auto at = partitions_.lower_bound({applied.topic, 0});
  for (; at != partitions_.end() && at->first.topic == applied.topic; ++at) at->second->Unfence();
  for (uint32_t number : applied.deleted) {
    std::vector<std::shared_ptr<Partition>> partitions = TakePartitions(number);
    // A start removes the folders of topics that are gone.
    const uint64_t durable = place.author == state_.node() ? place.end_offset : 0;
    if (recovered_) background_.Spawn(RemoveFiles(number, std::move(partitions), durable));
  }
  for (uint32_t number : applied.lost) LoseTopic(number);
  if (recovered_) FenceOlderEpochs();
}

// From now on peers may follow the journal that know the greatest epoch, and nothing of an older
// one is copied here.
void DurableState::FenceOlderEpochs() {
  if (state_.controller() != known_controller_) {
    known_controller_ = state_.controller();
    on_controller_change_();
  }
  const auto epoch = static_cast<uint32_t>(state_.max_epoch());
  store::Log& log = journal_->log();
  if (log.epoch() < epoch) log.RaiseEpoch(epoch);
  for (const auto& source : sources_) source->replica->RaiseLeastEpoch(epoch);
}

void DurableState::FenceFor(NodeId author, const store::Record& record) {
  if (!IsTopicRecord(record.body)) return;
  Result<JournalRecord> decoded = DecodeJournalRecord(record.body);
  const auto* moved = decoded ? std::get_if<TopicRecord>(&*decoded) : nullptr;
  if (moved == nullptr || moved->home != author) return;
  const Topic* topic = state_.FindTopic(moved->topic);
  if (topic == nullptr || !state_.IsHome(*topic)) return;
  if (moved->leader_epoch <= topic->leader_epoch) return;
  auto at = partitions_.lower_bound({moved->topic, 0});
  for (; at != partitions_.end() && at->first.topic == moved->topic; ++at) at->second->Fence();
}

// The topic is gone from the state.
std::vector<std::shared_ptr<Partition>> DurableState::TakePartitions(uint32_t topic) {
  std::vector<std::shared_ptr<Partition>> partitions;
  auto at = partitions_.lower_bound({topic, 0});
  for (; at != partitions_.end() && at->first.topic == topic; ++at) {
    partitions.push_back(at->second);
  }
  RefreshTopic(topic);
  return partitions;
}

void DurableState::LoseTopic(uint32_t topic) {
  ++lost_topics_;
  lost_.emplace_back(topic, TakePartitions(topic));
  if (recovered_) background_.Spawn(SetLostAsideNow());
}

io::Task<void> DurableState::SetLostAsideNow() {
  for (;;) {
    Result<void> done = co_await SetLostAside();
    if (done || done.error().code == Errc::kCancelled) co_return;
    LOG_WARNING("messages of a topic that the controller does not know cannot be set aside",
                {"problem", done.error().message});
    if (!co_await io::Sleep(kSetAsideRetry)) co_return;
  }
}

io::Task<Result<void>> DurableState::SetLostAside() {
  while (!lost_.empty()) {
    auto [topic, partitions] = lost_.front();
    Result<FiberMutex::Guard> guard = co_await files_mutex_.Lock();
    if (!guard) co_return Fail(std::move(guard.error()));
    SegmentWriter::Pause pause(*writer_);
    Result<void> done = co_await pause.AwaitIdle();
    for (const std::shared_ptr<Partition>& partition : partitions) {
      if (done && partition->log() == nullptr && partition->position().end_offset > 0) {
        done = co_await OpenLostLog(*partition);
      }
      if (done && partition->log() != nullptr) {
        done = co_await SetAside(partition, partition->log()->log_start_offset(),
                                 state_.controller().epoch);
      }
    }
    if (done) done = co_await RemoveFolder(topic);
    if (!done) co_return done;
    if (!lost_.empty() && lost_.front().first == topic) lost_.erase(lost_.begin());
  }
  co_return Result<void>{};
}

io::Task<Result<void>> DurableState::OpenLostLog(Partition& partition) {
  const PartitionId id = partition.id();
  auto log = co_await PartitionLog::Open(
      files_, {.folder = fmt::format("{}/{}", TopicFolder(id.topic), id.partition)},
      partition.position());
  if (!log) co_return Fail(std::move(log.error()));
  partition.set_log(std::move(*log));
  co_return Result<void>{};
}

io::Task<Result<void>> DurableState::Cut(std::shared_ptr<Partition> partition, PartitionCut cut) {
  Result<FiberMutex::Guard> guard = co_await files_mutex_.Lock();
  if (!guard) co_return Fail(std::move(guard.error()));
  if (partition->log() == nullptr && partition->position().end_offset > 0) {
    Result<void> opened = co_await OpenLog(*partition);
    if (!opened) co_return opened;
  }
  if (partition->log() == nullptr || partition->log()->end_offset() <= cut.offset) {
    co_return Result<void>{};
  }
  Result<void> done = co_await SetAside(partition, cut.offset, cut.epoch);
  if (!done) co_return done;
  co_return co_await partition->log()->TruncateTo(cut.offset);
}

// Writes what the partition has from `from_offset` on to a file of its own, unless an earlier try
// has done so.
io::Task<Result<void>> DurableState::SetAside(std::shared_ptr<Partition> partition,
                                              int64_t from_offset, int32_t epoch) {
  if (partition->log()->end_offset() <= from_offset) co_return Result<void>{};
  auto written = co_await WriteSetAsideFile(disk_, *partition->log(),
                                            {.folder = set_aside_folder(),
                                             .partition = partition->name(),
                                             .from_offset = from_offset,
                                             .epoch = epoch,
                                             .headroom_bytes = headroom_bytes_});
  // Whatever is wrong with the folder, the process that would start anew would find the same.
  if (!written && written.error().code != Errc::kCancelled) {
    co_return Fail(Errc::kUnavailable, "messages cannot be set aside: {}", written.error().message);
  }
  if (!written) co_return Fail(std::move(written.error()));
  ++set_aside_;
  LOG_ERROR("messages that were never mirrored are set aside", {"partition", partition->name()},
            {"from_offset", from_offset}, {"end_offset", partition->log()->end_offset()},
            {"file", written->path}, {"bytes", written->bytes},
            {"lost_to_damage", written->problem});
  co_return Result<void>{};
}

}  // namespace meridian::queue
