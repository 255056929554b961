// Where offsets and timestamps are in the segments of a partition.
#include <algorithm>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/task.hpp"
#include "queue/partition/batch_walk.hpp"
#include "queue/partition/limits.hpp"
#include "queue/partition/partition_log.hpp"
#include "queue/partition/segment.hpp"
#include "queue/partition/segment_files.hpp"
#include "queue/partition/segment_index.hpp"
#include "wire/kafka/record.hpp"
#include "wire/kafka/record_batch.hpp"
#include "wire/kafka/record_reader.hpp"

namespace meridian::queue {
namespace {

using wire::kafka::BatchHeader;

// What is there of the segment.
uint64_t ReadableBytes(const Segment& segment) {
  return std::min(segment.written.bytes, segment.file_bytes);
}

// Where bytes that can be read end, from `position` on: at the first bad batch.
uint64_t SoundEnd(const Segment& segment, uint64_t position) {
  for (const BadBatches& bad : segment.bad) {
    if (bad.end_position > position) return std::max(bad.position, position);
  }
  return ReadableBytes(segment);
}

const BadBatches* LostAt(const Segment& segment, int64_t offset) {
  auto found = std::ranges::find_if(segment.bad, [offset](const BadBatches& bad) {
    return bad.begin_offset <= offset && offset < bad.next_offset;
  });
  return found == segment.bad.end() ? nullptr : &*found;
}

// The end of the last bad batches before the offset, behind which a search for it begins.
uint64_t BehindBad(const Segment& segment, int64_t offset) {
  uint64_t position = 0;
  for (const BadBatches& bad : segment.bad) {
    if (bad.next_offset <= offset) position = bad.end_position;
  }
  return position;
}

// The first record of the batch with this timestamp or a later one, from `min_offset` on. May
// decompress the batch.
Result<std::optional<TimedOffset>> FindRecord(Bytes batch, int64_t timestamp_ms,
                                              int64_t min_offset) {
  if (auto checked = wire::kafka::CheckStoredBatch(batch); !checked) {
    return Fail(Errc::kIo, "{}", checked.error().message);
  }
  auto reader = wire::kafka::RecordReader::Open(batch);
  if (!reader) return Fail(Errc::kIo, "{}", reader.error().message);
  wire::kafka::Record record;
  while (reader->Next(&record)) {
    if (record.timestamp_ms < timestamp_ms || record.offset < min_offset) continue;
    return TimedOffset{.offset = record.offset,
                       .timestamp_ms = record.timestamp_ms,
                       .leader_epoch = reader->header().leader_epoch};
  }
  return std::nullopt;
}

}  // namespace

// The last segment that begins at or before the offset. There is one.
std::shared_ptr<Segment> PartitionLog::SegmentAt(int64_t offset) const {
  auto behind = std::ranges::upper_bound(
      segments_, offset, {}, [](const auto& segment) { return segment->written.base_offset; });
  return behind == segments_.begin() ? *behind : *std::prev(behind);
}

std::shared_ptr<Segment> PartitionLog::SegmentBehind(const Segment& segment) const {
  auto behind =
      std::ranges::upper_bound(segments_, segment.written.base_offset, {},
                               [](const auto& other) { return other->written.base_offset; });
  return behind == segments_.end() ? nullptr : *behind;
}

io::Task<Result<FileRange>> PartitionLog::Read(ReadRequest request) {
  int64_t begin = log_start_offset_;
  if (request.below_log_start && !segments_.empty()) {
    begin = std::min(begin, segments_.front()->written.base_offset);
  }
  if (request.offset < begin || request.offset > end_offset_) {
    co_return Fail(Errc::kNotFound, "{}: offset {} is not between {} and {}", options_.folder,
                   request.offset, begin, end_offset_);
  }
  request.limit_offset = std::min(request.limit_offset, end_offset_);
  FileRange none = {.begin_offset = request.offset, .next_offset = request.offset};
  if (request.offset >= request.limit_offset || segments_.empty()) co_return none;
  uint64_t truncations = truncations_;
  std::shared_ptr<Segment> segment = SegmentAt(request.offset);
  while (segment != nullptr && segment->written.base_offset < request.limit_offset) {
    auto range = co_await ReadSegment(segment, request);
    if (truncations != truncations_) {
      co_return Fail(Errc::kUnavailable, "{}: was truncated meanwhile", options_.folder);
    }
    if (!range && request.offset < log_start_offset_ && !request.below_log_start) {
      co_return Fail(Errc::kNotFound, "{}: offset {} is not kept any more", options_.folder,
                     request.offset);
    }
    bool replaced = SegmentWithBase(segment->written.base_offset) != segment;
    if (!range && replaced && !segments_.empty()) {
      segment = SegmentAt(request.offset);  // compaction was faster
      continue;
    }
    if (!range) NoteIfDamaged(*segment, range.error());
    if (!range || range->bytes > 0) co_return range;
    segment = SegmentBehind(*segment);
  }
  co_return none;
}

// No bytes: none of its batches has the offset or a higher one, or the first reaches beyond the
// limit.
io::Task<Result<FileRange>> PartitionLog::ReadSegment(std::shared_ptr<Segment> segment,
                                                      ReadRequest request) {
  auto begin = co_await Find(segment, request.offset);
  if (!begin) co_return Fail(begin.error());
  if (!*begin) co_return FileRange{};
  const Place& place = **begin;
  std::optional<RangeEnd> end = KnownEnd(*segment, request, place.position);
  if (!end && request.max_bytes > kIndexIntervalBytes && !segment->damaged()) {
    if (auto made = co_await MakeEndKnown(segment, request, place.position); !made) {
      co_return Fail(made.error());
    }
    end = KnownEnd(*segment, request, place.position);
  }
  if (!end) {
    auto scanned = co_await ScanEnd(segment, place, request);
    if (!scanned) co_return Fail(scanned.error());
    end = *scanned;
  }
  if (end->position == place.position) co_return FileRange{};
  recent_.Add({.offset = end->next_offset,
               .base_offset = segment->written.base_offset,
               .generation = segment->written.generation,
               .position = end->position});
  co_return FileRange{.file = place.file,
                      .position = place.position,
                      .bytes = end->position - place.position,
                      .begin_offset = place.base_offset,
                      .next_offset = end->next_offset};
}

io::Task<Result<std::optional<PartitionLog::Place>>> PartitionLog::Find(
    std::shared_ptr<Segment> segment, int64_t offset) {
  auto known = recent_.Find(offset, segment->written);
  if (known && *known < SoundEnd(*segment, *known)) {
    auto file = co_await files_.Open(segment);
    if (!file) co_return Fail(file.error());
    co_return Place{.file = *file, .position = *known, .base_offset = offset};
  }
  co_return co_await Scan(std::move(segment), offset);
}

// Finds the batch by the index entry before it and the headers from there on.
io::Task<Result<std::optional<PartitionLog::Place>>> PartitionLog::Scan(
    std::shared_ptr<Segment> segment, int64_t offset) {
  auto file = co_await files_.Open(segment);
  // An entry of what was appended lately does not need the older part of the index.
  if (file && segment->index.AtOrBeforeOffset(offset) == nullptr) {
    file = co_await files_.OpenIndexed(segment);
  }
  if (!file) co_return Fail(file.error());
  if (const BadBatches* bad = LostAt(*segment, offset)) {
    co_return Fail(Errc::kIo, "{}: bytes {} to {} are damaged: {}", segment->path, bad->position,
                   bad->end_position, bad->problem);
  }
  IndexEntry* entry = segment->index.AtOrBeforeOffset(offset);
  if (entry != nullptr && entry->position < BehindBad(*segment, offset)) entry = nullptr;
  if (entry != nullptr && !entry->verified) {
    auto right = co_await Verify(segment, *file, *entry);
    if (!right) co_return Fail(right.error());
    if (!*right) file = co_await files_.Reindex(segment);
    if (!file) co_return Fail(file.error());
    entry = segment->index.AtOrBeforeOffset(offset);
  }
  const uint64_t position =
      std::max(entry == nullptr ? 0 : entry->position, BehindBad(*segment, offset));
  const uint64_t end = SoundEnd(*segment, position);
  // Its last batch ends there: an offset below is in one of its batches, or before one.
  const int64_t end_offset = segment->written.end_offset;
  BatchWalk walk(*file, segment->path, {.position = position, .end_position = end});
  for (;;) {
    auto batch = co_await walk.Next();
    if (!batch) co_return Fail(batch.error());
    if (!*batch && end < segment->written.bytes) {
      co_return Fail(Errc::kIo, "{}: has lost what is behind byte {}", segment->path, end);
    }
    if (!*batch && offset < end_offset) {
      co_return Fail(Errc::kIo, "{}: its last batch ends before offset {}", segment->path,
                     end_offset);
    }
    if (!*batch) co_return std::nullopt;
    if ((*batch)->next_offset() <= offset) continue;
    co_return Place{
        .file = *file, .position = walk.position(), .base_offset = (*batch)->base_offset};
  }
}

// Whether the batch of an entry that was read from a file is where it says.
io::Task<Result<bool>> PartitionLog::Verify(std::shared_ptr<Segment> segment,
                                            std::shared_ptr<io::File> file, IndexEntry entry) {
  BatchWalk walk(std::move(file), segment->path,
                 {.position = entry.position, .end_position = ReadableBytes(*segment)});
  auto batch = co_await walk.Next();
  if (!batch || !*batch) co_return false;
  bool right = (*batch)->base_offset == entry.offset && (*batch)->crc == entry.batch_crc;
  IndexEntry* again = segment->index.AtOrBeforePosition(entry.position);
  if (right && again != nullptr && *again == entry) again->verified = true;
  co_return right;
}

// The entry with which a range from `begin` on may end.
const IndexEntry* PartitionLog::EndEntry(Segment& segment, const ReadRequest& request,
                                         uint64_t begin) {
  const IndexEntry* by_bytes = segment.index.AtOrBeforePosition(begin + request.max_bytes);
  const IndexEntry* by_limit = segment.index.AtOrBeforeOffset(request.limit_offset);
  if (by_bytes == nullptr || by_limit == nullptr) return nullptr;
  const IndexEntry* entry = by_bytes->position < by_limit->position ? by_bytes : by_limit;
  return entry->position > begin ? entry : nullptr;
}

// Loads the index, and verifies the entry that KnownEnd will use.
io::Task<Result<void>> PartitionLog::MakeEndKnown(std::shared_ptr<Segment> segment,
                                                  ReadRequest request, uint64_t begin) {
  auto file = co_await files_.OpenIndexed(segment);
  if (!file) co_return Fail(file.error());
  const IndexEntry* entry = EndEntry(*segment, request, begin);
  if (entry == nullptr || entry->verified) co_return Result<void>{};
  auto right = co_await Verify(segment, *file, *entry);
  if (!right) co_return Fail(right.error());
  if (!*right) file = co_await files_.Reindex(segment);
  if (!file) co_return Fail(file.error());
  co_return Result<void>{};
}

// The end of the range from `begin` on, where it is known without reading.
std::optional<PartitionLog::RangeEnd> PartitionLog::KnownEnd(Segment& segment,
                                                             const ReadRequest& request,
                                                             uint64_t begin) {
  uint64_t max_end = begin + request.max_bytes;
  if (segment.damaged()) return std::nullopt;
  RangeEnd end = {.position = segment.written.bytes, .next_offset = segment.written.end_offset};
  if (request.limit_offset < end.next_offset) {
    auto limit = recent_.Find(request.limit_offset, segment.written);
    end = {.position = limit.value_or(UINT64_MAX), .next_offset = request.limit_offset};
  }
  if (end.position > begin && end.position <= max_end) return end;
  const IndexEntry* entry = EndEntry(segment, request, begin);
  if (entry == nullptr || !entry->verified) return std::nullopt;
  return RangeEnd{.position = entry->position, .next_offset = entry->offset};
}

// The same by the headers of the batches in the range.
io::Task<Result<PartitionLog::RangeEnd>> PartitionLog::ScanEnd(std::shared_ptr<Segment> segment,
                                                               const Place& begin,
                                                               ReadRequest request) {
  BatchWalk walk(begin.file, segment->path,
                 {.position = begin.position, .end_position = SoundEnd(*segment, begin.position)});
  RangeEnd end = {.position = begin.position, .next_offset = request.offset};
  for (;;) {
    auto batch = co_await walk.Next();
    bool first = end.position == begin.position;
    // A damaged place is an error for the read that begins there.
    if (!batch && !first) co_return end;
    if (!batch) co_return Fail(batch.error());
    // A check may have found it since Find.
    if (!*batch && first) {
      co_return Fail(Errc::kIo, "{}: the batch at byte {} is damaged", segment->path,
                     begin.position);
    }
    if (first && (*batch)->next_offset() > segment->written.end_offset) {
      co_return Fail(Errc::kIo, "{}: the batch at byte {} ends behind offset {}", segment->path,
                     begin.position, segment->written.end_offset);
    }
    if (!*batch || (*batch)->next_offset() > request.limit_offset) co_return end;
    uint64_t position = walk.position() + (*batch)->bytes;
    if (!first && position - begin.position > request.max_bytes) co_return end;
    end = {.position = position, .next_offset = (*batch)->next_offset()};
  }
}

io::Task<Result<std::optional<TimedOffset>>> PartitionLog::OffsetAtTime(int64_t timestamp_ms) {
  std::vector<std::shared_ptr<Segment>> segments = segments_;
  for (const std::shared_ptr<Segment>& segment : segments) {
    const SegmentPosition& written = segment->written;
    if (written.max_timestamp_ms < timestamp_ms || written.end_offset <= log_start_offset_) {
      continue;
    }
    auto found = co_await FirstAtTime(segment, timestamp_ms);
    if (!found) NoteIfDamaged(*segment, found.error());
    if (!found || *found) co_return found;
  }
  co_return std::nullopt;
}

io::Task<Result<std::optional<TimedOffset>>> PartitionLog::OffsetAtMaxTime() {
  int64_t max_ms = -1;
  for (const auto& segment : segments_) {
    if (segment->written.end_offset <= log_start_offset_) continue;
    max_ms = std::max(max_ms, segment->written.max_timestamp_ms);
  }
  if (max_ms < 0) co_return std::nullopt;
  co_return co_await OffsetAtTime(max_ms);
}

io::Task<Result<std::optional<TimedOffset>>> PartitionLog::FirstAtTime(
    std::shared_ptr<Segment> segment, int64_t timestamp_ms) {
  auto file = co_await files_.OpenIndexed(segment);
  if (!file) co_return Fail(file.error());
  IndexEntry* entry = segment->index.BeforeTimestamp(timestamp_ms);
  if (entry != nullptr && !entry->verified) {
    auto right = co_await Verify(segment, *file, *entry);
    if (!right) co_return Fail(right.error());
    if (!*right) file = co_await files_.Reindex(segment);
    if (!file) co_return Fail(file.error());
    entry = segment->index.BeforeTimestamp(timestamp_ms);
  }
  const uint64_t position = entry == nullptr ? 0 : entry->position;
  const uint64_t end = SoundEnd(*segment, position);
  BatchWalk walk(*file, segment->path, {.position = position, .end_position = end});
  for (;;) {
    auto batch = co_await walk.Next();
    if (!batch) co_return Fail(batch.error());
    if (!*batch && end < segment->written.bytes) {
      co_return Fail(Errc::kIo, "{}: has lost what is behind byte {}", segment->path, end);
    }
    if (!*batch) co_return std::nullopt;
    bool before =
        (*batch)->max_timestamp_ms < timestamp_ms || (*batch)->next_offset() <= log_start_offset_;
    if (before) continue;
    std::vector<uint8_t> bytes((*batch)->bytes);
    auto got = co_await (*file)->ReadAt(walk.position(), bytes);
    if (!got) co_return Fail(got.error());
    Result<std::optional<TimedOffset>> found;
    auto ran = co_await files_.heavy_work().Run(
        [&found, batch = Bytes(bytes).first(*got), timestamp_ms, min_offset = log_start_offset_] {
          found = FindRecord(batch, timestamp_ms, min_offset);
        });
    if (!ran) co_return Fail(ran.error());
    if (!found || *found) co_return found;
  }
}

}  // namespace meridian::queue
