#include "queue/engine/segment_writer.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "queue/engine/in_flight_room.hpp"
#include "queue/engine/partition.hpp"
#include "queue/partition/limits.hpp"
#include "queue/partition/partition_log.hpp"
#include "queue/state/journal_record.hpp"
#include "queue/state/limits.hpp"
#include "store/journal.hpp"

namespace meridian::queue {

// The oldest batches, all durable, by partition.
struct SegmentWriter::Group {
  struct Part {
    std::shared_ptr<Partition> partition;
    std::vector<Bytes> batches;
    size_t bytes = 0;
    int64_t next_offset = 0;
    bool prepared = false;
  };
  std::map<PartitionId, Part> parts;
  std::vector<io::FileWrite> writes;
  size_t batches = 0;
};

SegmentWriter::SegmentWriter(Parts parts) : parts_(std::move(parts)), scope_(parts_.loop) {}

void SegmentWriter::Start() { scope_.Spawn(Run()); }

io::Task<void> SegmentWriter::Stop() {
  scope_.Cancel();
  co_await scope_.Join();
}

void SegmentWriter::Add(PendingBatch batch) {
  pending_bytes_ += batch.batch().size();
  pending_.push_back(std::move(batch));
  added_.WakeAll();
}

io::Task<Result<void>> SegmentWriter::AwaitPending(size_t bytes) {
  while (pending_bytes_ > bytes || (bytes == 0 && !pending_.empty())) {
    Result<void> woken = co_await changed_.Wait();
    if (!woken) co_return woken;
  }
  co_return Result<void>{};
}

std::optional<uint64_t> SegmentWriter::oldest_pending(NodeId author) const {
  for (const PendingBatch& each : pending_) {
    if (each.author == author && each.journal_end > 0) return each.journal_end - 1;
  }
  return std::nullopt;
}

SegmentWriter::Pause::~Pause() {
  if (--writer_.pauses_ == 0) writer_.changed_.WakeAll();
}

io::Task<Result<void>> SegmentWriter::Pause::AwaitIdle() {
  while (writer_.writing_) {
    Result<void> woken = co_await writer_.changed_.Wait();
    if (!woken) co_return woken;
  }
  co_return Result<void>{};
}

io::Task<void> SegmentWriter::Run() {
  for (;;) {
    if (pending_.empty()) {
      if (!co_await added_.Wait()) co_return;
      continue;
    }
    Result<void> done = co_await AwaitFront();
    if (!done) {
      if (done.error().code != Errc::kUnavailable) co_return;
      continue;
    }
    if (pauses_ > 0) {
      if (!co_await changed_.Wait()) co_return;
      continue;
    }
    if (pending_.front().cut) {
      done = co_await CutFront();
    } else {
      Group group = TakeReady();
      writing_ = true;
      done = co_await Write(group);
      writing_ = false;
      if (done) Finish(group);
    }
    changed_.WakeAll();
    if (!done && !co_await HandleFailure(done.error())) co_return;
  }
}

// Records of other data centers' journals are durable before they come here.
io::Task<Result<void>> SegmentWriter::AwaitFront() {
  const PendingBatch& front = pending_.front();
  if (front.author != parts_.node || front.journal_end == 0) co_return Result<void>{};
  const uint64_t end = front.journal_end;
  const size_t copies = front.copies;
  Result<void> done = co_await parts_.journal.AwaitDurable(end);
  if (done && gate_ != nullptr && copies > 0) done = co_await gate_->Await(end, copies);
  co_return done;
}

bool SegmentWriter::IsReady(const PendingBatch& batch) const {
  if (batch.author != parts_.node || batch.journal_end == 0) return true;
  if (batch.journal_end > parts_.journal.durable_end_offset()) return false;
  return gate_ == nullptr || batch.copies == 0 || gate_->IsOpen(batch.journal_end, batch.copies);
}

io::Task<Result<void>> SegmentWriter::CutFront() {
  std::shared_ptr<Partition> partition = pending_.front().partition;
  Result<void> done;
  if (!partition->gone()) done = co_await parts_.cut(partition, *pending_.front().cut);
  // The topic may have been deleted meanwhile.
  if (!done && !partition->gone()) co_return done;
  partition->EndCut();
  pending_.pop_front();
  NoteSuccess();
  co_return done;
}

SegmentWriter::Group SegmentWriter::TakeReady() const {
  Group group;
  size_t bytes = 0;
  for (const PendingBatch& batch : pending_) {
    if (batch.cut || !IsReady(batch)) break;
    if (bytes > 0 && bytes + batch.batch().size() > kMaxWriteGroupBytes) break;
    const PartitionId id = batch.partition->id();
    if (group.parts.size() >= parts_.max_partitions && !group.parts.contains(id)) break;
    bytes += batch.batch().size();
    ++group.batches;
    Group::Part& part = group.parts[id];
    part.partition = batch.partition;
    part.batches.push_back(batch.batch());
    part.bytes += batch.batch().size();
    part.next_offset = batch.next_offset;
  }
  return group;
}

io::Task<Result<void>> SegmentWriter::Write(Group& group) {
  // Each partition may open its last file, and begin another one; large batches begin more.
  constexpr size_t kMaxMoreFiles = kMaxWriteGroupBytes / kMinAgedSegmentBytes;
  Result<void> done = co_await parts_.make_room(2 * group.parts.size() + kMaxMoreFiles);
  if (done) done = co_await Prepare(group);
  if (done) done = co_await parts_.disk.WriteFiles(group.writes);
  if (done) co_return done;
  for (auto& [id, part] : group.parts) {
    if (part.prepared) part.partition->log()->Abandon();
  }
  co_return done;
}

io::Task<Result<void>> SegmentWriter::Prepare(Group& group) {
  for (auto& [id, part] : group.parts) {
    if (part.partition->gone()) continue;
    Result<void> done;
    if (part.partition->log() == nullptr) done = co_await parts_.open_log(*part.partition);
    if (done) done = co_await part.partition->log()->Prepare(part.batches, group.writes);
    if (!done) co_return done;
    part.prepared = true;
  }
  co_return Result<void>{};
}

void SegmentWriter::Finish(Group& group) {
  for (auto& [id, part] : group.parts) {
    if (part.prepared) part.partition->log()->Finish();
    part.partition->Commit(part.next_offset, part.bytes);
  }
  size_t bytes = 0;
  for (size_t i = 0; i < group.batches; ++i) {
    bytes += pending_.front().batch().size();
    pending_.pop_front();
  }
  pending_bytes_ -= bytes;
  parts_.room.Release(bytes);
  NoteSuccess();
}

void SegmentWriter::NoteSuccess() {
  problem_text_.clear();
  if (problem_.OnSolved()) LOG_INFO("segment files are written again");
}

// Whether to try again.
io::Task<bool> SegmentWriter::HandleFailure(const Error& error) {
  if (error.code == Errc::kCancelled) co_return false;
  if (error.code != Errc::kUnavailable) {
    parts_.on_disk_failure(error);
    co_return false;
  }
  problem_text_ = error.message;
  if (problem_.OnProblem(error.message, parts_.loop.Now())) {
    LOG_WARNING("segment files cannot be written", {"problem", error.message});
  }
  Result<void> slept = co_await io::Sleep(kSegmentRetry);
  co_return slept.has_value();
}

}  // namespace meridian::queue
