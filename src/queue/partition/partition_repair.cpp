// Checks of segments, and their repair from bytes that a mirror has kept.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/task.hpp"
#include "queue/partition/batch_walk.hpp"
#include "queue/partition/partition_log.hpp"
#include "queue/partition/segment.hpp"
#include "queue/partition/segment_files.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::queue {
namespace {

// Whether `bytes` are whole valid batches.
Result<void> CheckBatches(Bytes bytes) {
  while (!bytes.empty()) {
    auto batch = wire::kafka::ReadBatchHeader(bytes);
    if (!batch) return Fail(batch.error());
    if (batch->bytes > bytes.size()) return Fail(Errc::kInvalid, "the last batch is cut off");
    auto checked = wire::kafka::CheckStoredBatch(bytes.first(batch->bytes));
    if (!checked) return Fail(checked.error());
    bytes = bytes.subspan(batch->bytes);
  }
  return {};
}

}  // namespace

std::shared_ptr<Segment> PartitionLog::SegmentWithBase(int64_t base_offset) const {
  auto found = std::ranges::find(segments_, base_offset,
                                 [](const auto& segment) { return segment->written.base_offset; });
  return found == segments_.end() ? nullptr : *found;
}

io::Task<Result<std::optional<BadBatches>>> PartitionLog::VerifySegment(int64_t base_offset) {
  std::shared_ptr<Segment> segment = SegmentWithBase(base_offset);
  if (segment == nullptr) {
    co_return Fail(Errc::kNotFound, "{}: no segment begins at offset {}", options_.folder,
                   base_offset);
  }
  const SegmentPosition written = segment->written;
  BadBatches bad = {.end_position = written.bytes, .begin_offset = base_offset};
  auto file = co_await files_.Open(segment);
  if (!file && segment->file_bytes == 0) {
    bad.problem = file.error().message;
    co_return bad;
  }
  if (!file) co_return Fail(file.error());
  BatchWalk walk(*file, segment->path, {.position = 0, .end_position = written.bytes});
  std::vector<uint8_t> bytes;
  for (;;) {
    auto batch = co_await walk.Next();
    if (!batch) {
      bad.problem = batch.error().message;
      co_return bad;
    }
    if (!*batch) co_return std::nullopt;
    bytes.resize((*batch)->bytes);
    auto got = co_await (*file)->ReadAt(walk.position(), bytes);
    if (!got) co_return Fail(got.error());
    auto checked = wire::kafka::CheckStoredBatch(Bytes(bytes).first(*got));
    if (!checked) {
      bad.end_position = walk.position() + bytes.size();
      bad.problem = checked.error().message;
      co_return bad;
    }
    bad.position = walk.position() + bytes.size();
    bad.begin_offset = (*batch)->next_offset();
  }
}

io::Task<Result<void>> PartitionLog::RepairSegment(SegmentPatch patch) {
  if (auto checked = CheckBatches(patch.batches); !checked) co_return checked;
  std::shared_ptr<Segment> segment = SegmentWithBase(patch.base_offset);
  uint64_t end = patch.position + patch.batches.size();
  bool fits =
      segment != nullptr && end <= segment->written.bytes && patch.position <= segment->file_bytes;
  if (!fits) {
    co_return Fail(Errc::kInvalid, "{}: bytes {} to {} are not within the segment at offset {}",
                   options_.folder, patch.position, end, patch.base_offset);
  }
  auto file = co_await files_.disk().Open(segment->path, io::OpenMode::kCreate);
  if (!file) co_return Fail(file.error());
  auto written = co_await (*file)->WriteAndSync(patch.position, patch.batches);
  if (!written) co_return written;
  if (auto synced = co_await files_.disk().SyncFolder(options_.folder); !synced) co_return synced;
  if (segment->damaged()) segment->file_bytes = std::max(segment->file_bytes, end);
  recent_.Clear();
  // Entries of the index may have come from the bad bytes.
  auto removed = co_await files_.disk().Remove(segment->index_path);
  if (!removed && removed.error().code != Errc::kNotFound) co_return removed;
  segment->index = SegmentIndex(segment->written.bytes, segment->written.max_timestamp_ms);
  segment->flushed_entries = 0;
  co_return Result<void>{};
}

}  // namespace meridian::queue
