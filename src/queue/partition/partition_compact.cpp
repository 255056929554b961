// The rewriting of sealed segments by compaction.
#include <algorithm>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/task.hpp"
#include "queue/partition/batch_walk.hpp"
#include "queue/partition/compaction.hpp"
#include "queue/partition/limits.hpp"
#include "queue/partition/partition_log.hpp"
#include "queue/partition/segment.hpp"
#include "queue/partition/segment_files.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::queue {
namespace {

// Reads the whole batches of a segment in order.
class BatchReader {
 public:
  BatchReader(std::shared_ptr<io::File> file, const Segment& segment)
      : file_(file),
        walk_(std::move(file), segment.path,
              {.position = 0, .end_position = segment.written.bytes}) {}

  // False: there is none left.
  io::Task<Result<bool>> Next() {
    auto header = co_await walk_.Next();
    if (!header) co_return Fail(header.error());
    if (!*header) co_return false;
    batch_.resize((*header)->bytes);
    auto got = co_await file_->ReadAt(walk_.position(), batch_);
    if (!got) co_return Fail(got.error());
    batch_.resize(*got);
    next_offset_ = (*header)->next_offset();
    co_return true;
  }
  Bytes batch() const { return batch_; }
  int64_t next_offset() const { return next_offset_; }

 private:
  std::shared_ptr<io::File> file_;
  BatchWalk walk_;
  std::vector<uint8_t> batch_;
  int64_t next_offset_ = 0;
};

// Writes batches into a new segment.
class BatchAppender {
 public:
  explicit BatchAppender(Segment& segment) : segment_(segment) {}

  io::Task<Result<void>> Add(Bytes batch) {
    auto header = wire::kafka::ReadBatchHeader(batch);
    if (!header) co_return Fail(header.error());
    segment_.index.Add(*header, segment_.written.bytes);
    segment_.written.Add(*header);
    unwritten_.insert(unwritten_.end(), batch.begin(), batch.end());
    if (unwritten_.size() < kCompactionWriteBytes) co_return Result<void>{};
    co_return co_await Flush();
  }
  io::Task<Result<void>> Flush() {
    uint64_t position = segment_.written.bytes - unwritten_.size();
    auto written = co_await segment_.file->WriteAt(position, unwritten_);
    unwritten_.clear();
    co_return written;
  }

 private:
  Segment& segment_;
  std::vector<uint8_t> unwritten_;
};

}  // namespace

// The segments at the front that never change again.
PartitionLog::Segments PartitionLog::Compactable(int64_t limit_offset) const {
  auto changes = [&](const auto& segment) {
    return !segment->sealed || segment->unsynced || segment->damaged() ||
           segment->written.end_offset > limit_offset;
  };
  return {segments_.begin(), std::ranges::find_if(segments_, changes)};
}

// Adds the keys of the segment. False: they need too much memory.
io::Task<Result<bool>> PartitionLog::AddKeys(std::shared_ptr<Segment> segment, LastOffsets& last) {
  auto file = co_await files_.Open(segment);
  if (!file) co_return Fail(file.error());
  BatchReader reader(*file, *segment);
  for (;;) {
    auto more = co_await reader.Next();
    if (!more) co_return Fail(more.error());
    if (!*more) co_return true;
    if (reader.next_offset() <= compacted_end_) continue;
    Result<bool> added;
    auto ran = co_await files_.heavy_work().Run([&] { added = last.Add(reader.batch()); });
    if (!ran) co_return Fail(ran.error());
    if (!added) co_return Fail(Errc::kIo, "{}: {}", segment->path, added.error().message);
    if (!*added) co_return false;
  }
}

io::Task<Result<void>> PartitionLog::CollectKeys(const Segments& segments, LastOffsets& last) {
  for (const std::shared_ptr<Segment>& segment : segments) {
    if (segment->written.end_offset <= compacted_end_) continue;
    auto added = co_await AddKeys(segment, last);
    // Segments that were removed meanwhile cannot be read, and need not be.
    if (!added && Has({segment})) {
      NoteIfDamaged(*segment, added.error());
      co_return Fail(added.error());
    }
    if (added && !*added) break;
  }
  co_return Result<void>{};
}

io::Task<Result<CompactionReport>> PartitionLog::Compact(CompactionRequest request) {
  if (!replaced_.empty()) {
    co_return Fail(Errc::kUnavailable, "{}: the last compaction is in no checkpoint yet",
                   options_.folder);
  }
  CompactionReport report;
  Segments sealed = Compactable(request.limit_offset);
  if (sealed.empty() || sealed.back()->written.end_offset <= compacted_end_) co_return report;
  LastOffsets last;
  auto done = co_await CollectKeys(sealed, last);
  if (done) done = co_await RewriteBelow(last, std::move(sealed), request.times, report);
  // A million keys take long to be freed, too.
  auto freed = co_await files_.heavy_work().Run([&] { last = LastOffsets(); });
  if (done) done = freed;
  if (!done) co_return Fail(done.error());
  co_return report;
}

// Rewrites the segments in groups, as far as the keys are known.
io::Task<Result<void>> PartitionLog::RewriteBelow(const LastOffsets& last, Segments sealed,
                                                  CompactionTimes times, CompactionReport& report) {
  Segments group;
  uint64_t group_bytes = 0;
  for (const std::shared_ptr<Segment>& segment : sealed) {
    if (segment->written.base_offset >= last.end_offset()) break;
    // Segments that have become small are joined.
    if (!group.empty() && group_bytes + segment->written.bytes > options_.segment_bytes) {
      auto done = co_await CompactGroup(std::exchange(group, {}), last, times, report);
      if (!done) co_return done;
      group_bytes = 0;
    }
    group.push_back(segment);
    group_bytes += segment->written.bytes;
  }
  auto done = co_await CompactGroup(std::move(group), last, times, report);
  if (done) compacted_end_ = std::max(compacted_end_, last.end_offset());
  co_return done;
}

bool PartitionLog::Has(const Segments& group) const {
  auto first = std::ranges::find(segments_, group.front());
  return segments_.end() - first >= std::ssize(group) &&
         std::equal(group.begin(), group.end(), first);
}

// Whether the batches differ from those of the group.
io::Task<Result<bool>> PartitionLog::Rewrite(const Segments& group, std::shared_ptr<Segment> into,
                                             const LastOffsets& last, CompactionTimes times) {
  BatchAppender appender(*into);
  bool changed = group.size() > 1;
  for (const std::shared_ptr<Segment>& segment : group) {
    auto file = co_await files_.Open(segment);
    if (!file) co_return Fail(file.error());
    BatchReader reader(*file, *segment);
    for (;;) {
      auto more = co_await reader.Next();
      if (!more) co_return Fail(more.error());
      if (!*more) break;
      Result<std::optional<std::vector<uint8_t>>> batch;
      auto ran = co_await files_.heavy_work().Run(
          [&] { batch = CompactBatch(reader.batch(), last, times); });
      if (!ran) co_return Fail(ran.error());
      if (!batch) co_return Fail(Errc::kIo, "{}: {}", segment->path, batch.error().message);
      changed |= !*batch || !std::ranges::equal(**batch, reader.batch());
      if (!*batch) continue;
      if (auto added = co_await appender.Add(**batch); !added) co_return Fail(added.error());
    }
  }
  if (auto flushed = co_await appender.Flush(); !flushed) co_return Fail(flushed.error());
  co_return changed;
}

io::Task<Result<void>> PartitionLog::CompactGroup(Segments group, const LastOffsets& last,
                                                  CompactionTimes times, CompactionReport& report) {
  if (group.empty()) co_return Result<void>{};
  uint64_t truncations = truncations_;
  uint32_t generation = 0;
  uint64_t group_bytes = 0;
  for (const auto& segment : group) {
    generation = std::max(generation, segment->written.generation + 1);
    group_bytes += segment->written.bytes;
  }
  auto into = MakeSegment(group.front()->written.base_offset, generation);
  into->sealed = into->unsynced = true;
  if (auto created = co_await files_.Create(into); !created) co_return created;
  auto changed = co_await Rewrite(group, into, last, times);
  Result<void> synced;
  if (changed && *changed) {
    std::vector<io::File*> files = {into->file.get()};
    std::vector<std::string> folders = {options_.folder};
    synced = co_await files_.FlushIndex(into);
    if (synced) synced = co_await files_.disk().SyncFiles(files, folders);
  }
  into->unsynced = into->unsynced_name = false;
  into->written.end_offset = group.back()->written.end_offset;
  into->synced = into->written;
  into->prepared_bytes = into->written.bytes;
  bool replaces = changed && *changed && synced && truncations == truncations_;
  if (!replaces || !Replace(group, into)) {
    auto removed = co_await RemoveFiles(into);
    // Segments that were removed meanwhile cannot be read, and need not be.
    if (!changed && Has(group)) {
      for (const auto& segment : group) NoteIfDamaged(*segment, changed.error());
      co_return Fail(changed.error());
    }
    if (!synced) co_return synced;
    co_return removed;
  }
  report.read_bytes += group_bytes;
  report.written_bytes += into->written.bytes;
  if (into->written.bytes == 0) co_return co_await RemoveFiles(into);
  co_return Result<void>{};
}

// False: the log does not have them any more.
bool PartitionLog::Replace(const Segments& group, const std::shared_ptr<Segment>& by) {
  if (!Has(group)) return false;
  recent_.Clear();
  auto first = std::ranges::find(segments_, group.front());
  auto behind = segments_.erase(first, first + std::ssize(group));
  if (by->written.bytes > 0) segments_.insert(behind, by);
  replaced_.insert(replaced_.end(), group.begin(), group.end());
  return true;
}

io::Task<Result<void>> PartitionLog::RemoveReplaced() {
  while (!replaced_.empty()) {
    std::shared_ptr<Segment> segment = replaced_.back();
    replaced_.pop_back();
    if (auto removed = co_await RemoveFiles(segment); !removed) co_return removed;
  }
  co_return Result<void>{};
}

}  // namespace meridian::queue
