// What a start does with the files of a partition, and what removes them.
#include <algorithm>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/task.hpp"
#include "queue/partition/batch_walk.hpp"
#include "queue/partition/partition_log.hpp"
#include "queue/partition/segment.hpp"
#include "queue/partition/segment_files.hpp"

namespace meridian::queue {
namespace {

Result<void> Removed(Result<void> removed) {
  if (!removed && removed.error().code == Errc::kNotFound) return {};
  return removed;
}

// The length of the file with this name, if there is one.
std::optional<uint64_t> BytesOf(const std::vector<io::ListedFile>& files, const std::string& name) {
  auto file = std::ranges::find(files, name, &io::ListedFile::name);
  if (file == files.end()) return std::nullopt;
  return file->bytes;
}

}  // namespace

io::Task<Result<std::unique_ptr<PartitionLog>>> PartitionLog::Open(SegmentFiles& files,
                                                                   PartitionOptions options,
                                                                   PartitionPosition position) {
  std::unique_ptr<PartitionLog> log(new PartitionLog(files, std::move(options)));
  Result<void> loaded = co_await log->Load(std::move(position));
  if (!loaded) co_return Fail(loaded.error());
  co_return log;
}

io::Task<Result<void>> PartitionLog::Load(PartitionPosition position) {
  log_start_offset_ = position.log_start_offset;
  end_offset_ = position.end_offset;
  for (const SegmentPosition& known : position.segments) {
    auto segment = MakeSegment(known.base_offset, known.generation);
    segment->written = segment->synced = known;
    segment->prepared_bytes = known.bytes;
    segment->sealed = true;
    segment->index = SegmentIndex(known.bytes, known.max_timestamp_ms);
    segments_.push_back(std::move(segment));
  }
  if (!segments_.empty()) segments_.back()->sealed = false;
  std::vector<io::ListedFile> found;
  if (auto listed = co_await files_.disk().ListSizes(options_.folder); listed) {
    found = std::move(*listed);
    folder_made_ = true;
  } else if (listed.error().code != Errc::kNotFound) {
    co_return Fail(listed.error());
  }
  for (const auto& segment : segments_) {
    if (auto fitted = co_await FitFile(*segment, found); !fitted) co_return fitted;
  }
  co_return co_await RemoveUnknown(found);
}

// Cuts off what is beyond the position, and notes what is missing.
io::Task<Result<void>> PartitionLog::FitFile(Segment& segment,
                                             const std::vector<io::ListedFile>& found) {
  std::string name = SegmentFileName(segment.written.base_offset, segment.written.generation);
  std::optional<uint64_t> listed = BytesOf(found, name);
  uint64_t bytes = listed.value_or(0);
  segment.missing = !listed;
  if (bytes < segment.written.bytes) {
    segment.file_bytes = bytes;
    files_.NoteSuspect(segment);
  }
  if (bytes <= segment.written.bytes) co_return Result<void>{};
  auto file = co_await files_.disk().Open(segment.path, io::OpenMode::kWrite);
  if (!file) co_return Fail(file.error());
  co_return co_await (*file)->Truncate(segment.written.bytes);
}

io::Task<Result<void>> PartitionLog::RemoveUnknown(const std::vector<io::ListedFile>& found) {
  for (const io::ListedFile& file : found) {
    bool known = std::ranges::any_of(segments_, [&](const auto& segment) {
      const SegmentPosition& written = segment->written;
      return file.name == SegmentFileName(written.base_offset, written.generation) ||
             file.name == IndexFileName(written.base_offset, written.generation);
    });
    if (known) continue;
    auto removed = co_await files_.disk().Remove(options_.folder + "/" + file.name);
    if (!removed) co_return removed;
  }
  co_return Result<void>{};
}

io::Task<Result<void>> PartitionLog::RemoveFiles(std::shared_ptr<Segment> segment) {
  segment->removed = true;
  files_.Close(*segment);
  auto removed = Removed(co_await files_.disk().Remove(segment->path));
  if (!removed) co_return removed;
  co_return Removed(co_await files_.disk().Remove(segment->index_path));
}

// Moves the log start; the segments below it, which are the log's no more.
PartitionLog::Segments PartitionLog::TakeBefore(int64_t log_start_offset) {
  log_start_offset_ = std::clamp(log_start_offset, log_start_offset_, end_offset_);
  // The last segment goes too when nothing in it is kept; the next append begins another.
  auto stays = [this](const auto& segment) {
    bool writing = segment->prepared_bytes == 0 || segment->prepared_bytes > segment->written.bytes;
    return writing || segment->written.end_offset > log_start_offset_;
  };
  auto behind = std::ranges::find_if(segments_, stays);
  Segments below(segments_.begin(), behind);
  segments_.erase(segments_.begin(), behind);
  return below;
}

io::Task<Result<void>> PartitionLog::DropBefore(int64_t log_start_offset) {
  Segments below = std::exchange(emptied_, {});
  std::ranges::copy(TakeBefore(log_start_offset), std::back_inserter(below));
  for (const std::shared_ptr<Segment>& segment : below) {
    if (auto removed = co_await RemoveFiles(segment); !removed) co_return removed;
  }
  co_return Result<void>{};
}

io::Task<Result<void>> PartitionLog::EmptyBefore(int64_t log_start_offset) {
  Segments below = TakeBefore(log_start_offset);
  std::ranges::copy(below, std::back_inserter(emptied_));
  for (const std::shared_ptr<Segment>& segment : below) {
    if (auto emptied = co_await EmptyFile(segment); !emptied) co_return emptied;
  }
  co_return Result<void>{};
}

// Gives the bytes of its files back, and needs none for it. Synced, so that a crash leaves no full
// file before an empty one.
io::Task<Result<void>> PartitionLog::EmptyFile(std::shared_ptr<Segment> segment) {
  segment->removed = true;
  files_.Close(*segment);
  auto file = co_await files_.disk().Open(segment->path, io::OpenMode::kWrite);
  if (!file && file.error().code != Errc::kNotFound) co_return Fail(file.error());
  if (file) {
    if (auto emptied = co_await (*file)->Truncate(0); !emptied) co_return emptied;
    if (auto synced = co_await (*file)->Sync(); !synced) co_return synced;
  }
  co_return Removed(co_await files_.disk().Remove(segment->index_path));
}

io::Task<Result<void>> PartitionLog::TruncateTo(int64_t offset) {
  CHECK(prepared_.empty());
  ++truncations_;
  recent_.Clear();
  compacted_end_ = std::min(compacted_end_, offset);
  while (!segments_.empty() && segments_.back()->written.base_offset >= offset) {
    std::shared_ptr<Segment> segment = segments_.back();
    segments_.pop_back();
    end_offset_ = std::min(end_offset_, segment->written.base_offset);
    if (auto removed = co_await RemoveFiles(segment); !removed) co_return removed;
  }
  if (!segments_.empty() && segments_.back()->written.end_offset > offset) {
    if (auto cut = co_await CutSegment(segments_.back(), offset); !cut) co_return cut;
  }
  log_start_offset_ = std::min(log_start_offset_, end_offset_);
  co_return Result<void>{};
}

io::Task<Result<void>> PartitionLog::CutSegment(std::shared_ptr<Segment> segment, int64_t offset) {
  segment->sealed = false;
  files_.MarkUnsynced(*segment);
  std::shared_ptr<io::File> file;
  if (segment->file_bytes > 0) {
    auto opened = co_await files_.Open(segment);
    if (!opened) co_return Fail(opened.error());
    file = *opened;
  }
  // Timestamps are counted again, so the segment is read from its first byte.
  auto kept = co_await KeepBelow(segment, file, offset);
  if (!kept) co_return Fail(kept.error());
  if (auto dropped = co_await files_.DropIndex(segment); !dropped) co_return dropped;
  segment->index = SegmentIndex(kept->bytes, kept->max_timestamp_ms);
  std::erase_if(segment->bad, [&](const BadBatches& bad) { return bad.position >= kept->bytes; });
  if (segment->file_bytes >= kept->bytes) segment->file_bytes = UINT64_MAX;
  segment->written = *kept;
  ++segment->repairs;  // a check that has begun expects more
  segment->prepared_bytes = kept->bytes;
  if (segment->synced.bytes > kept->bytes) segment->synced = *kept;
  end_offset_ = kept->end_offset;
  if (segment->too_short()) co_return Result<void>{};
  co_return co_await file->Truncate(kept->bytes);
}

// What stays of the segment below the offset. Where batches are damaged, they stay damaged: the
// offsets before the cut are lost, and not left out.
io::Task<Result<SegmentPosition>> PartitionLog::KeepBelow(std::shared_ptr<Segment> segment,
                                                          std::shared_ptr<io::File> file,
                                                          int64_t offset) {
  SegmentPosition kept = {.base_offset = segment->written.base_offset,
                          .generation = segment->written.generation,
                          .end_offset = segment->written.base_offset};
  BatchWalk walk(
      file, segment->path,
      {.position = 0, .end_position = std::min(segment->written.bytes, segment->file_bytes)});
  bool sound = !segment->damaged();
  while (sound) {
    auto batch = co_await walk.Next();
    // What is cut off may be anything: a crash may have undone an earlier cut in part.
    if (!batch && kept.end_offset >= offset) co_return kept;
    sound = batch.has_value();
    if (sound && (!*batch || (*batch)->next_offset() > offset)) co_return kept;
    if (sound) kept.Add(**batch);
  }
  co_return co_await KeepBelowWithDamage(std::move(segment), std::move(file), offset);
}

io::Task<Result<void>> PartitionLog::Remove() {
  CHECK(prepared_.empty());
  if (auto removed = co_await RemoveReplaced(); !removed) co_return removed;
  std::ranges::copy(std::exchange(emptied_, {}), std::back_inserter(segments_));
  while (!segments_.empty()) {
    std::shared_ptr<Segment> segment = segments_.back();
    segments_.pop_back();
    if (auto removed = co_await RemoveFiles(segment); !removed) co_return removed;
  }
  co_return Removed(co_await files_.disk().RemoveFolder(options_.folder));
}

}  // namespace meridian::queue
