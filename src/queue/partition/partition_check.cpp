// PartitionLog: finding damage, and reads and cuts that do not trust what is on disk.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/task.hpp"
#include "queue/partition/batch_walk.hpp"
#include "queue/partition/partition_log.hpp"
#include "queue/partition/segment.hpp"
#include "queue/partition/segment_files.hpp"
#include "queue/partition/segment_scan.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::queue {
namespace {

// How many bytes at the front are whole batches with the right checksums.
size_t SoundBytes(Bytes bytes) {
  size_t sound = 0;
  while (sound < bytes.size()) {
    const Bytes rest = bytes.subspan(sound);
    auto batch = wire::kafka::ReadBatchHeader(rest);
    if (!batch || batch->bytes > rest.size()) break;
    if (!wire::kafka::CheckStoredBatch(rest.first(batch->bytes))) break;
    sound += batch->bytes;
  }
  return sound;
}

int64_t NextOffsetOf(Bytes batches) {
  int64_t next = 0;
  while (!batches.empty()) {
    const auto batch = *wire::kafka::ReadBatchHeader(batches);
    next = batch.next_offset();
    batches = batches.subspan(batch.bytes);
  }
  return next;
}

}  // namespace

// A read has failed. Known damage needs no further check.
void PartitionLog::NoteIfDamaged(Segment& segment, const Error& error) {
  if (error.code != Errc::kIo || segment.removed || !segment.bad.empty()) return;
  files_.NoteSuspect(segment);
}

std::shared_ptr<Segment> PartitionLog::SegmentWithBase(int64_t base_offset) const {
  auto found = std::ranges::find(segments_, base_offset,
                                 [](const auto& segment) { return segment->written.base_offset; });
  return found == segments_.end() ? nullptr : *found;
}

// A file that is written to is open. Of another one the name counts as well, without which the next
// start would not find it. Null: it is missing.
io::Task<Result<std::shared_ptr<io::File>>> PartitionLog::OpenForCheck(
    std::shared_ptr<Segment> segment) {
  if (!segment->closed() && !segment->too_short()) co_return co_await files_.Open(segment);
  auto file = co_await files_.disk().Open(segment->path, io::OpenMode::kRead);
  if (!file && file.error().code == Errc::kNotFound) co_return nullptr;
  if (!file) co_return Fail(file.error());
  co_return std::shared_ptr<io::File>(std::move(*file));
}

io::Task<Result<CheckReport>> PartitionLog::CheckSegment(CheckRequest request) {
  std::shared_ptr<Segment> segment = SegmentWithBase(request.base_offset);
  if (segment == nullptr) {
    co_return Fail(Errc::kNotFound, "{}: no segment begins at offset {}", options_.folder,
                   request.base_offset);
  }
  segment->suspect = false;
  const uint64_t repairs = segment->repairs;
  const uint64_t truncations = truncations_;
  const bool whole = segment->closed() || segment->too_short();
  const SegmentPosition known = whole ? segment->written : segment->synced;
  auto file = co_await OpenForCheck(segment);
  if (!file) co_return Fail(file.error());
  uint64_t file_bytes = 0;
  if (*file != nullptr) {
    auto size = co_await (*file)->Size();
    if (!size) co_return Fail(size.error());
    file_bytes = *size;
  }
  SegmentScan scan(files_.heavy_work(), {.file = *file,
                                         .known = known,
                                         .epochs = std::move(request.epochs),
                                         .bytes_per_second = request.bytes_per_second});
  auto bad = co_await scan.Run();
  if (!bad) co_return Fail(bad.error());
  const bool changed = segment->removed || segment->repairs != repairs ||
                       truncations_ != truncations ||
                       SegmentWithBase(request.base_offset) != segment;
  if (changed) {
    co_return Fail(Errc::kUnavailable, "{}: was changed during the check", segment->path);
  }
  CheckReport report{.path = segment->path, .bytes = scan.read_bytes(), .bad = std::move(*bad)};
  report.news = !std::ranges::equal(report.bad, segment->bad, {}, &BadBatches::position,
                                    &BadBatches::position);
  segment->bad = report.bad;
  if (whole && file_bytes < known.bytes) {
    segment->file_bytes = file_bytes;
    segment->missing = *file == nullptr;
  }
  co_return report;
}

io::Task<Result<FileRange>> PartitionLog::ReadSound(ReadRequest request) {
  auto range = co_await Read(request);
  if (!range || range->bytes == 0) co_return range;
  std::shared_ptr<Segment> segment = SegmentAt(range->begin_offset);
  std::vector<uint8_t> bytes(range->bytes);
  auto got = co_await range->file->ReadAt(range->position, bytes);
  if (!got) {
    NoteIfDamaged(*segment, got.error());
    co_return Fail(got.error());
  }
  bytes.resize(*got);
  size_t sound = 0;
  auto ran = co_await files_.heavy_work().Run([&] { sound = SoundBytes(bytes); });
  if (!ran) co_return Fail(ran.error());
  if (sound == range->bytes) co_return range;
  Error damage{Errc::kIo, segment->path + ": a batch has a wrong checksum"};
  NoteIfDamaged(*segment, damage);
  if (sound == 0) co_return Fail(std::move(damage));
  range->bytes = sound;
  range->next_offset = NextOffsetOf(Bytes(bytes).first(sound));
  co_return range;
}

// KeepBelow for a segment whose batches cannot all be read.
io::Task<Result<SegmentPosition>> PartitionLog::KeepBelowWithDamage(
    std::shared_ptr<Segment> segment, std::shared_ptr<io::File> file, int64_t offset) {
  SegmentScan scan(files_.heavy_work(), {.file = file, .known = segment->written});
  auto found = co_await scan.Run();
  if (!found) co_return Fail(found.error());
  ++segment->repairs;  // a check that is under way is void
  segment->bad = std::move(*found);
  SegmentPosition kept = {.base_offset = segment->written.base_offset,
                          .generation = segment->written.generation,
                          .end_offset = segment->written.base_offset,
                          .first_timestamp_ms = segment->written.first_timestamp_ms};
  const std::vector<BadBatches> places = segment->bad;
  for (auto bad = places.begin();; ++bad) {
    const uint64_t end = bad == places.end() ? segment->written.bytes : bad->position;
    BatchWalk walk(file, segment->path, {.position = kept.bytes, .end_position = end});
    while (kept.bytes < end) {
      auto batch = co_await walk.Next();
      if (!batch) co_return Fail(batch.error());
      if (!*batch || (*batch)->next_offset() > offset) co_return kept;
      kept.Add(**batch);
    }
    if (bad == places.end() || bad->begin_offset >= offset) co_return kept;
    kept.bytes = bad->end_position;
    kept.end_offset = std::min(bad->next_offset, offset);
    if (bad->next_offset < offset) continue;
    auto last = segment->bad.begin() + (bad - places.begin());
    last->next_offset = kept.end_offset;
    co_return kept;
  }
}

}  // namespace meridian::queue
