// Append, sync, and what a log says of itself.
#include "queue/partition/partition_log.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/task.hpp"
#include "queue/partition/limits.hpp"
#include "queue/partition/segment.hpp"
#include "queue/partition/segment_files.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::queue {

using wire::kafka::BatchHeader;

PartitionLog::~PartitionLog() {
  for (const auto& segment : segments_) files_.Close(*segment);
  for (const auto& segment : replaced_) files_.Close(*segment);
}

uint64_t PartitionLog::bytes() const {
  uint64_t sum = 0;
  for (const auto& segment : segments_) sum += segment->written.bytes;
  return sum;
}

std::vector<SegmentPosition> PartitionLog::segments() const {
  std::vector<SegmentPosition> positions;
  for (const auto& segment : segments_) positions.push_back(segment->written);
  return positions;
}

PartitionPosition PartitionLog::position() const {
  PartitionPosition position;
  position.end_offset = segments_.empty() ? end_offset_ : segments_.front()->written.base_offset;
  for (const auto& segment : segments_) {
    if (segment->synced.bytes == 0) break;
    position.segments.push_back(segment->synced);
    position.end_offset = segment->synced.end_offset;
  }
  position.log_start_offset = std::min(log_start_offset_, position.end_offset);
  return position;
}

std::optional<uint64_t> PartitionLog::unsynced_since() const {
  std::optional<uint64_t> since;
  for (auto segment = segments_.rbegin(); segment != segments_.rend(); ++segment) {
    if (!(*segment)->unsynced) break;
    since = (*segment)->unsynced_since;
  }
  return since;
}

std::vector<DamagedSegment> PartitionLog::damaged() const {
  std::vector<DamagedSegment> damaged;
  bool first = true;  // all before it were emptied
  for (const auto& segment : segments_) {
    first &= segment->file_bytes == 0 && !segment->missing;
    if (!IsLost(*segment)) continue;
    damaged.push_back({.emptied = first,
                       .path = segment->path,
                       .base_offset = segment->written.base_offset,
                       .end_offset = segment->written.end_offset,
                       .file_bytes = std::min(segment->file_bytes, segment->written.bytes),
                       .expected_bytes = segment->written.bytes,
                       .bad = segment->bad});
  }
  return damaged;
}

// Whether messages above the log start are lost.
bool PartitionLog::IsLost(const Segment& segment) const {
  if (segment.bad.empty()) return segment.too_short();
  return segment.bad.back().next_offset > log_start_offset_;
}

bool PartitionLog::has_damage() const {
  return std::ranges::any_of(segments_, [this](const auto& segment) { return IsLost(*segment); });
}

std::vector<int64_t> PartitionLog::suspects() const {
  std::vector<int64_t> offsets;
  for (const auto& segment : segments_) {
    if (segment->suspect) offsets.push_back(segment->written.base_offset);
  }
  return offsets;
}

std::vector<int64_t> PartitionLog::closed_segments() const {
  std::vector<int64_t> offsets;
  for (const auto& segment : segments_) {
    if (segment->closed()) offsets.push_back(segment->written.base_offset);
  }
  return offsets;
}

std::shared_ptr<Segment> PartitionLog::MakeSegment(int64_t base_offset, uint32_t generation) const {
  auto segment = std::make_shared<Segment>();
  segment->path = options_.folder + "/" + SegmentFileName(base_offset, generation);
  segment->index_path = options_.folder + "/" + IndexFileName(base_offset, generation);
  segment->written = {
      .base_offset = base_offset, .generation = generation, .end_offset = base_offset};
  segment->synced = segment->written;
  return segment;
}

bool PartitionLog::MustRoll(const BatchHeader& batch) const {
  if (segments_.empty()) return true;
  const Segment& last = *segments_.back();
  // What was lost at the end of a damaged segment leaves no gap in a file.
  if (last.too_short()) return true;
  if (last.prepared_bytes == 0) return false;
  if (last.prepared_bytes + batch.bytes > options_.segment_bytes) return true;
  if (last.prepared_bytes < options_.min_aged_bytes) return false;
  int64_t first = last.written.first_timestamp_ms;
  return first >= 0 && batch.max_timestamp_ms - first > options_.segment_ms;
}

io::Task<Result<void>> PartitionLog::Roll(int64_t base_offset) {
  if (!folder_made_) {
    auto made = co_await files_.disk().MakeFolder(options_.folder);
    if (!made) co_return made;
    folder_made_ = true;
  }
  auto segment = MakeSegment(base_offset);
  if (auto created = co_await files_.Create(segment); !created) co_return created;
  if (!segments_.empty()) segments_.back()->sealed = true;
  files_.MarkUnsynced(*segment);
  segments_.push_back(std::move(segment));
  co_return Result<void>{};
}

io::Task<Result<void>> PartitionLog::PrepareAll(std::span<const Bytes> batches,
                                                std::vector<io::FileWrite>& writes) {
  int64_t next = end_offset_;
  for (Bytes bytes : batches) {
    auto batch = wire::kafka::ReadBatchHeader(bytes);
    if (!batch) co_return Fail(batch.error());
    if (batch->bytes != bytes.size() || batch->base_offset < next) {
      co_return Fail(Errc::kInvalid, "{}: a batch of {} bytes at offset {} cannot follow offset {}",
                     options_.folder, bytes.size(), batch->base_offset, next);
    }
    if (MustRoll(*batch)) {
      if (auto rolled = co_await Roll(batch->base_offset); !rolled) co_return rolled;
    }
    std::shared_ptr<Segment> segment = segments_.back();
    files_.MarkUnsynced(*segment);
    auto file = co_await files_.Open(segment);
    if (!file) co_return Fail(file.error());
    if (segment->prepared_bytes == 0) {
      segment->written.first_timestamp_ms = batch->max_timestamp_ms;
    }
    writes.push_back({.file = file->get(), .offset = segment->prepared_bytes, .data = bytes});
    prepared_.push_back({.segment = segment, .batch = *batch, .position = segment->prepared_bytes});
    segment->prepared_bytes += bytes.size();
    next = batch->next_offset();
  }
  co_return Result<void>{};
}

io::Task<Result<void>> PartitionLog::Prepare(std::span<const Bytes> batches,
                                             std::vector<io::FileWrite>& writes) {
  CHECK(prepared_.empty());
  size_t begin = writes.size();
  Result<void> prepared = co_await PrepareAll(batches, writes);
  if (prepared) co_return prepared;
  writes.resize(begin);
  Abandon();
  co_return prepared;
}

void PartitionLog::Finish() {
  for (const Prepared& prepared : prepared_) {
    Segment& segment = *prepared.segment;
    segment.index.Add(prepared.batch, prepared.position);
    segment.written.Add(prepared.batch);
    end_offset_ = prepared.batch.next_offset();
    recent_.Add({.offset = prepared.batch.base_offset,
                 .base_offset = segment.written.base_offset,
                 .generation = segment.written.generation,
                 .position = prepared.position});
  }
  prepared_.clear();
}

void PartitionLog::Abandon() {
  for (const Prepared& prepared : prepared_) {
    prepared.segment->prepared_bytes = prepared.segment->written.bytes;
  }
  prepared_.clear();
  // A segment that was begun for what is forgotten is named after an offset that may be another
  // batch's now, or lie in the middle of one.
  while (!segments_.empty() && segments_.back()->written.bytes == 0) {
    files_.Close(*segments_.back());
    segments_.pop_back();
  }
  if (!segments_.empty()) segments_.back()->sealed = false;
}

io::Task<Result<void>> PartitionLog::BeginSync(std::vector<io::File*>& files,
                                               std::vector<std::string>& folders) {
  syncing_.clear();
  bool new_name = false;
  std::vector<std::shared_ptr<Segment>> unsynced;
  std::ranges::copy_if(segments_, std::back_inserter(unsynced),
                       [](const auto& segment) { return segment->unsynced; });
  for (const std::shared_ptr<Segment>& segment : unsynced) {
    if (segment->removed) continue;
    size_t pending = segment->index.entries().size() - segment->flushed_entries;
    if (pending >= kIndexFlushEntries || (segment->sealed && pending > 0)) {
      Result<void> flushed;
      if (auto file = co_await files_.OpenIndexed(segment); !file) flushed = Fail(file.error());
      if (flushed && !segment->removed) flushed = co_await files_.FlushIndex(segment);
      if (segment->removed) {
        files_.Close(*segment);
        continue;
      }
      if (!flushed) co_return flushed;
    }
    // Null: it was never opened, or removed meanwhile.
    if (segment->file == nullptr) continue;
    files.push_back(segment->file.get());
    syncing_.push_back({.segment = segment, .file = segment->file, .position = segment->written});
    new_name |= segment->unsynced_name;
  }
  if (new_name) folders.push_back(options_.folder);
  co_return Result<void>{};
}

void PartitionLog::FinishSync() {
  for (const Syncing& syncing : syncing_) {
    Segment& segment = *syncing.segment;
    // It may have been cut meanwhile.
    segment.synced =
        syncing.position.bytes <= segment.written.bytes ? syncing.position : segment.written;
    segment.unsynced_name = false;
    segment.unsynced = segment.prepared_bytes > segment.synced.bytes;
  }
  syncing_.clear();
}

io::Task<Result<void>> SyncLogs(SegmentFiles& files, std::span<PartitionLog* const> logs) {
  std::vector<io::File*> unsynced;
  std::vector<std::string> folders;
  for (PartitionLog* log : logs) {
    if (auto begun = co_await log->BeginSync(unsynced, folders); !begun) co_return begun;
  }
  if (auto synced = co_await files.disk().SyncFiles(unsynced, folders); !synced) co_return synced;
  for (PartitionLog* log : logs) log->FinishSync();
  files.CloseSurplus();
  co_return Result<void>{};
}

}  // namespace meridian::queue
