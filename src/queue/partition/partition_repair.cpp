// PartitionLog: the repair of segments from bytes that another data center has kept.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/task.hpp"
#include "queue/partition/partition_log.hpp"
#include "queue/partition/segment.hpp"
#include "queue/partition/segment_files.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::queue {
namespace {

// The offset behind whole valid batches that ascend from `begin_offset` on.
Result<int64_t> CheckBatches(Bytes bytes, int64_t begin_offset) {
  if (bytes.empty()) return Fail(Errc::kInvalid, "there are no batches");
  int64_t next = begin_offset;
  while (!bytes.empty()) {
    auto batch = wire::kafka::ReadBatchHeader(bytes);
    if (!batch) return Fail(batch.error());
    if (batch->bytes > bytes.size()) return Fail(Errc::kInvalid, "the last batch is cut off");
    auto checked = wire::kafka::CheckStoredBatch(bytes.first(batch->bytes));
    if (!checked) return Fail(checked.error());
    if (batch->base_offset < next) {
      return Fail(Errc::kInvalid, "offset {} in place of {}", batch->base_offset, next);
    }
    next = batch->next_offset();
    bytes = bytes.subspan(batch->bytes);
  }
  return next;
}

std::vector<BadBatches>::iterator FindBad(Segment& segment, uint64_t position) {
  return std::ranges::find(segment.bad, position, &BadBatches::position);
}

}  // namespace

io::Task<Result<void>> PartitionLog::RepairSegment(SegmentPatch patch) {
  std::shared_ptr<Segment> segment = SegmentWithBase(patch.base_offset);
  const uint64_t end = patch.position + patch.batches.size();
  if (segment == nullptr || FindBad(*segment, patch.position) == segment->bad.end()) {
    co_return Fail(Errc::kInvalid,
                   "{}: no bad batches begin at byte {} of the segment at offset {}",
                   options_.folder, patch.position, patch.base_offset);
  }
  const BadBatches bad = *FindBad(*segment, patch.position);
  auto next_offset = CheckBatches(patch.batches, bad.begin_offset);
  if (!next_offset) co_return Fail(next_offset.error());
  const bool fits = end < bad.end_position
                        ? *next_offset < bad.next_offset
                        : end == bad.end_position && *next_offset <= bad.next_offset;
  if (!fits) {
    co_return Fail(Errc::kInvalid,
                   "{}: batches up to byte {} and offset {} do not fit in {} and {}", segment->path,
                   end, *next_offset, bad.end_position, bad.next_offset);
  }
  const uint64_t truncations = truncations_;
  ++segment->repairs;
  auto written = co_await WritePatch(segment, patch);
  ++segment->repairs;
  if (!written) co_return written;
  if (segment->removed || truncations_ != truncations) co_return Result<void>{};
  if (segment->too_short()) segment->file_bytes = std::max(segment->file_bytes, end);
  if (segment->file_bytes >= segment->written.bytes) segment->file_bytes = UINT64_MAX;
  segment->missing = false;
  if (auto left = FindBad(*segment, patch.position); left != segment->bad.end()) {
    left->position = end;
    left->begin_offset = *next_offset;
    if (left->position >= left->end_position) segment->bad.erase(left);
  }
  recent_.Clear();
  // Entries of the index may have come from the bad bytes.
  co_return co_await files_.DropIndex(segment);
}

// A file that a crash leaves empty would be taken for one that retention has emptied. So a missing
// one gets its name when it has bytes; what a crash leaves of it a start removes.
io::Task<Result<void>> PartitionLog::WritePatch(std::shared_ptr<Segment> segment,
                                                const SegmentPatch& patch) {
  io::Disk& disk = files_.disk();
  const bool is_new = segment->missing || segment->file_bytes == 0;
  if (is_new) {
    if (auto made = co_await disk.MakeFolder(options_.folder); !made) co_return made;
  }
  const std::string path = is_new ? segment->path + ".new" : segment->path;
  auto file = co_await disk.Open(path, is_new ? io::OpenMode::kCreate : io::OpenMode::kWrite);
  if (!file) co_return Fail(file.error());
  auto written = co_await (*file)->WriteAndSync(patch.position, patch.batches);
  if (is_new && written) written = co_await (*file)->Truncate(patch.batches.size());
  if (is_new && written) written = co_await (*file)->Sync();
  if (is_new && written) written = co_await disk.Rename(path, segment->path);
  if (is_new && written) written = co_await disk.SyncFolder(options_.folder);
  // Readers may have a file open that has lost its name.
  if (is_new && written && !segment->unsynced) files_.Close(*segment);
  co_return written;
}

}  // namespace meridian::queue
