#include "queue/partition/segment_files.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/task.hpp"
#include "queue/partition/batch_walk.hpp"
#include "queue/partition/limits.hpp"
#include "queue/partition/segment.hpp"
#include "queue/partition/segment_index.hpp"

namespace meridian::queue {

void SegmentFiles::Use(const std::shared_ptr<Segment>& segment) {
  if (segment->is_listed) {
    in_use_.splice(in_use_.begin(), in_use_, segment->in_use_order);
    return;
  }
  in_use_.push_front(segment);
  segment->in_use_order = in_use_.begin();
  segment->is_listed = true;
  CloseSurplus();
}

void SegmentFiles::CloseSurplus() {
  if (in_use_.size() <= max_open_) return;
  size_t open = in_use_.size();
  for (auto last = std::prev(in_use_.end()); open > max_open_ && last != in_use_.begin();) {
    Segment& oldest = **last--;
    // Of a file that a reader has, the descriptor stays.
    if (oldest.unsynced || oldest.file.use_count() > 1) continue;
    Close(oldest);
    --open;
  }
}

void SegmentFiles::Close(Segment& segment) {
  segment.file = nullptr;
  segment.index = SegmentIndex(segment.written.bytes, segment.written.max_timestamp_ms);
  segment.flushed_entries = 0;
  if (!std::exchange(segment.is_listed, false)) return;
  in_use_.erase(segment.in_use_order);
}

void SegmentFiles::MarkUnsynced(Segment& segment) {
  if (!segment.unsynced) segment.unsynced_since = ++marked_;
  segment.unsynced = true;
}

void SegmentFiles::NoteSuspect(Segment& segment) {
  if (std::exchange(segment.suspect, true)) return;
  suspected_.WakeAll();
}

io::Task<Result<void>> SegmentFiles::AwaitSuspect() { co_return co_await suspected_.Wait(); }

io::Task<Result<std::shared_ptr<io::File>>> SegmentFiles::Open(std::shared_ptr<Segment> segment) {
  if (segment->file == nullptr) {
    if (!segment->unsynced && open() >= max_read_files()) {
      co_return Fail(Errc::kUnavailable, "{}: {} segment files are open, which is the limit",
                     segment->path, open());
    }
    ++opening_;
    auto file = co_await disk_.Open(segment->path, io::OpenMode::kWrite);
    --opening_;
    if (!file) {
      Errc code = file.error().code == Errc::kNotFound ? Errc::kIo : file.error().code;
      co_return Fail(code, "{}", file.error().message);
    }
    // Another fiber may have opened it meanwhile.
    if (segment->file == nullptr) segment->file = std::move(*file);
  }
  Use(segment);
  co_return segment->file;
}

io::Task<Result<void>> SegmentFiles::Create(std::shared_ptr<Segment> segment) {
  auto file = co_await disk_.Open(segment->path, io::OpenMode::kCreate);
  if (!file) co_return Fail(file.error());
  // A file of that name is a leftover of an append that failed.
  if (auto emptied = co_await (*file)->Truncate(0); !emptied) co_return emptied;
  segment->file = std::move(*file);
  segment->unsynced_name = true;
  Use(segment);
  co_return Result<void>{};
}

io::Task<Result<SegmentIndex>> SegmentFiles::ReadIndexFile(const Segment& segment,
                                                           uint64_t end_position) {
  SegmentIndex index;
  size_t max_bytes = (end_position / kIndexIntervalBytes + 1) * kIndexEntryBytes;
  auto file = co_await disk_.Open(segment.index_path, io::OpenMode::kRead);
  if (!file && file.error().code == Errc::kNotFound) co_return index;
  if (!file) co_return Fail(file.error());
  std::vector<uint8_t> bytes(max_bytes);
  auto got = co_await (*file)->ReadAt(0, bytes);
  if (!got) co_return Fail(got.error());
  index.Decode(Bytes(bytes).first(*got), end_position);
  co_return index;
}

// Adds the batches below `end` that `index`, which begins with the segment, lacks.
io::Task<Result<SegmentIndex>> SegmentFiles::Index(std::shared_ptr<Segment> segment,
                                                   std::shared_ptr<io::File> file,
                                                   SegmentIndex index, uint64_t end) {
  BatchWalk walk(std::move(file), segment->path,
                 {.position = index.last_position(), .end_position = end});
  for (;;) {
    auto batch = co_await walk.Next();
    // What is before a damaged place can be read.
    if (!batch && segment->damaged()) co_return index;
    if (!batch) co_return Fail(batch.error());
    if (!*batch) co_return index;
    index.Add(**batch, walk.position());
  }
}

// The index of the first `end` bytes of the segment, and how many entries its file has.
io::Task<Result<SegmentFiles::Loaded>> SegmentFiles::Load(std::shared_ptr<Segment> segment,
                                                          std::shared_ptr<io::File> file,
                                                          uint64_t end) {
  end = std::min(end, segment->file_bytes);
  while (loading_ >= kMaxIndexLoads) {
    if (auto woken = co_await loaded_.Wait(); !woken) co_return Fail(woken.error());
  }
  ++loading_;
  auto index = co_await ReadIndexFile(*segment, end);
  --loading_;
  loaded_.WakeOne();
  if (!index) co_return Fail(index.error());
  size_t flushed = index->entries().size();
  index = co_await Index(segment, file, std::move(*index), end);
  if (!index) {
    // Where a stale entry has led it, there is no batch.
    index = co_await Index(segment, file, SegmentIndex(), end);
    flushed = 0;
  }
  if (!index) co_return Fail(index.error());
  if (index->entries().size() > flushed + kIndexFlushEntries) {
    LOG_WARNING("queue: a segment's index was incomplete, and was built from the segment",
                {"segment", segment->path});
  }
  co_return Loaded{.index = std::move(*index), .flushed_entries = flushed};
}

io::Task<Result<std::shared_ptr<io::File>>> SegmentFiles::OpenIndexed(
    std::shared_ptr<Segment> segment) {
  for (;;) {
    auto file = co_await Open(segment);
    uint64_t begin = segment->index.begin_position();
    uint64_t resets = segment->index_resets;
    if (!file || begin == 0) co_return file;
    auto loaded = co_await Load(segment, *file, begin);
    if (!loaded) co_return Fail(loaded.error());
    // Meanwhile another fiber may have done the same, or the segment was closed or cut.
    if (segment->index.begin_position() != begin || segment->index_resets != resets) continue;
    segment->index.Prepend(loaded->index);
    segment->flushed_entries = loaded->flushed_entries;
    bool lacks = segment->index.entries().size() > segment->flushed_entries;
    if (!lacks || !segment->sealed || segment->damaged()) co_return file;
    if (auto written = co_await FlushIndex(segment); !written) co_return Fail(written.error());
  }
}

io::Task<Result<void>> SegmentFiles::FlushIndex(std::shared_ptr<Segment> segment) {
  size_t begin = segment->flushed_entries;
  std::vector<uint8_t> encoded;
  SegmentIndex::Encode(segment->index.entries().subspan(begin), encoded);
  segment->flushed_entries = segment->index.entries().size();
  auto file = co_await disk_.Open(segment->index_path, io::OpenMode::kCreate);
  if (!file) co_return Fail(file.error());
  uint64_t offset = begin * kIndexEntryBytes;
  if (auto written = co_await (*file)->WriteAt(offset, encoded); !written) co_return written;
  co_return co_await (*file)->Truncate(offset + encoded.size());
}

io::Task<Result<std::shared_ptr<io::File>>> SegmentFiles::Reindex(
    std::shared_ptr<Segment> segment) {
  LOG_WARNING("queue: a segment's index was wrong, and is built from the segment",
              {"segment", segment->path});
  if (auto dropped = co_await DropIndex(segment); !dropped) co_return Fail(dropped.error());
  co_return co_await OpenIndexed(std::move(segment));
}

io::Task<Result<void>> SegmentFiles::DropIndex(std::shared_ptr<Segment> segment) {
  auto removed = co_await disk_.Remove(segment->index_path);
  if (!removed && removed.error().code != Errc::kNotFound) co_return removed;
  segment->index = SegmentIndex(segment->written.bytes, segment->written.max_timestamp_ms);
  segment->flushed_entries = 0;
  ++segment->index_resets;
  co_return Result<void>{};
}

}  // namespace meridian::queue
