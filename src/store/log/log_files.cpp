#include "store/log/log_files.hpp"

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
#include "base/hybrid_clock.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/task.hpp"
#include "store/limits.hpp"
#include "store/log/record.hpp"
#include "store/log/retention.hpp"
#include "store/log/segment.hpp"
#include "store/log/segment_index.hpp"

namespace meridian::store {
namespace {

// The part of `bytes` that holds whole records from the one with `from` on: until `end`, or until
// `most` bytes, but at least one. `missing` is the number of bytes that the first record lacks.
struct Cut {
  size_t begin = 0;
  size_t end = 0;
  size_t missing = 0;
  bool damaged = false;
};

Cut CutRecords(Bytes bytes, uint64_t from, uint64_t end, size_t most) {
  Cut cut;
  size_t at = 0;
  bool begun = false;
  while (at < bytes.size()) {
    Bytes rest = bytes.subspan(at);
    std::optional<RecordExtent> extent = ExtentOf(rest);
    if (!extent || extent->bytes > rest.size()) {
      if (begun) return cut;
      cut.damaged = !extent && rest.size() >= kRecordHeaderBytes;
      cut.missing = extent ? extent->bytes - rest.size() : kRecordHeaderBytes;
      return cut;
    }
    if (extent->offset >= end) return cut;
    if (extent->end_offset > from) {
      if (!begun) cut.begin = at;
      if (begun && at + extent->bytes - cut.begin > most) return cut;
      begun = true;
      cut.end = at + extent->bytes;
    }
    at += extent->bytes;
  }
  if (!begun) cut.missing = kRecordHeaderBytes;
  return cut;
}

}  // namespace

uint64_t LogFiles::bytes() const {
  uint64_t sum = 0;
  for (const Segment& segment : segments_) sum += segment.index.end_position();
  return sum;
}

io::Task<Result<void>> LogFiles::Begin(SegmentHeader header) {
  std::string path = PathOf(header.begin_offset);
  auto file = co_await disk_.Open(path, io::OpenMode::kCreate);
  if (!file) co_return Fail(file.error());
  std::vector<uint8_t> encoded;
  AppendSegmentHeader(header, encoded);
  if (auto written = co_await (*file)->WriteAt(0, encoded); !written) co_return written;
  if (auto synced = co_await (*file)->Sync(); !synced) co_return io::SyncFailure(synced.error());
  if (auto synced = co_await disk_.SyncFolder(folder_); !synced) {
    co_return io::SyncFailure(synced.error());
  }
  id_ = header.log_id;
  if (!segments_.empty()) segments_.back().file = nullptr;
  segments_.push_back({.path = std::move(path),
                       .index = SegmentIndex(header.begin_offset, kSegmentHeaderBytes),
                       .file = std::move(*file)});
  co_return Result<void>{};
}

io::Task<Result<void>> LogFiles::WriteAndSync(Bytes encoded) {
  Segment& last = segments_.back();
  co_return co_await last.file->WriteAndSync(last.index.end_position(), encoded);
}

void LogFiles::Add(std::span<const IndexedRecord> records, uint32_t epoch) {
  SegmentIndex& index = segments_.back().index;
  for (const IndexedRecord& record : records) {
    index.Add(record, index.end_position());
    newest_time_ = std::max(newest_time_, record.time);
  }
  newest_epoch_ = epoch;
}

io::Task<Result<void>> LogFiles::Roll() {
  co_return co_await Begin({.log_id = id_, .begin_offset = end_offset()});
}

io::Task<Result<void>> LogFiles::StartOver(Creation creation) {
  auto begun = co_await Begin(
      {.log_id = creation.id, .begin_offset = creation.begin_offset, .starts_over = true});
  if (!begun) co_return begun;
  newest_time_ = {};
  newest_epoch_ = 0;
  read_file_ = nullptr;
  // If an empty log begins at the same offset, its file is replaced, and none is removed.
  std::string kept = segments_.back().path;
  while (segments_.size() > 1) {
    std::string path = segments_.front().path;
    segments_.pop_front();
    if (path == kept) continue;
    if (auto removed = co_await disk_.Remove(path); !removed) co_return removed;
  }
  co_return Result<void>{};
}

const LogFiles::Segment& LogFiles::SegmentOf(uint64_t offset) const {
  auto after = std::ranges::upper_bound(
      segments_, offset, {}, [](const Segment& segment) { return segment.index.begin_offset(); });
  return after == segments_.begin() ? *after : *std::prev(after);
}

Result<void> LogFiles::CheckReadable(uint64_t from) const {
  if (from < begin_offset()) {
    return Fail(Errc::kNotFound, "{}: offset {} is not kept any more; the oldest is {}", folder_,
                from, begin_offset());
  }
  for (const DamagedRange& range : recovery_.damaged) {
    if (from < range.begin_offset || from >= range.end_offset) continue;
    return Fail(Errc::kIo, "{}: offsets {} to {} are damaged (bytes {} to {})", range.path,
                range.begin_offset, range.end_offset - 1, range.begin_position, range.end_position);
  }
  return {};
}

uint64_t LogFiles::NextReadable(uint64_t offset) const {
  for (const DamagedRange& range : recovery_.damaged) {
    if (offset >= range.begin_offset) offset = std::max(offset, range.end_offset);
  }
  return offset;
}

uint64_t LogFiles::ReadableEnd(uint64_t from) const {
  uint64_t end = end_offset();
  for (const DamagedRange& range : recovery_.damaged) {
    if (range.begin_offset > from) end = std::min(end, range.begin_offset);
  }
  return end;
}

io::Task<Result<std::shared_ptr<io::File>>> LogFiles::FileOf(const Segment& segment) {
  if (segment.file) co_return segment.file;
  if (read_file_ && read_path_ == segment.path) co_return read_file_;
  std::string path = segment.path;  // the segment may go while we wait
  auto file = co_await disk_.Open(path, io::OpenMode::kRead);
  if (!file) co_return Fail(file.error());
  read_path_ = std::move(path);
  read_file_ = std::move(*file);
  co_return read_file_;
}

io::Task<Result<RecordBatch>> LogFiles::Read(uint64_t from, size_t max_bytes) {
  if (from >= end_offset()) co_return RecordBatch();
  if (Result<void> readable = CheckReadable(from); !readable) co_return Fail(readable.error());
  const Segment& segment = SegmentOf(from);
  uint64_t position = segment.index.PositionOf(from);
  uint64_t last = segment.index.end_position();
  uint64_t end = ReadableEnd(from);
  std::string path = segment.path;
  auto file = co_await FileOf(segment);
  if (!file) co_return Fail(file.error());
  size_t most = std::min(max_bytes, kMaxReadBytes);
  size_t wanted = kIndexIntervalBytes + most;
  std::vector<uint8_t> bytes;
  for (;;) {
    size_t have = bytes.size();
    bytes.resize(have + std::min<uint64_t>(wanted, last - position - have));
    if (bytes.size() == have) break;
    auto got = co_await (*file)->ReadAt(position + have, MutableBytes(bytes).subspan(have));
    if (!got) co_return Fail(got.error());
    bytes.resize(have + *got);
    Cut cut = CutRecords(bytes, from, end, most);
    if (cut.end > cut.begin) {
      bytes.resize(cut.end);
      bytes.erase(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(cut.begin));
      auto batch = RecordBatch::Parse(std::move(bytes));
      if (!batch) co_return Fail(Errc::kIo, "{}: {}", path, batch.error().message);
      co_return batch;
    }
    if (cut.damaged || *got == 0) break;
    wanted = std::max(cut.missing, kIndexIntervalBytes);
  }
  co_return Fail(Errc::kIo, "{}: the record at offset {} was damaged since the start", path, from);
}

uint64_t LogFiles::OffsetBefore(HybridTime time) const {
  for (const Segment& segment : segments_) {
    if (segment.index.newest() >= time) return segment.index.OffsetBefore(time);
  }
  return end_offset();
}

std::vector<SegmentSummary> LogFiles::Summaries() const {
  std::vector<SegmentSummary> summaries;
  for (const Segment& segment : segments_) {
    summaries.push_back({.end_offset = segment.index.end_offset(),
                         .bytes = segment.index.end_position(),
                         .newest = segment.index.newest()});
  }
  return summaries;
}

io::Task<Result<void>> LogFiles::RemoveBelow(uint64_t offset) {
  while (removing_) {
    if (auto woken = co_await removal_ended_.Wait(); !woken) co_return woken;
  }
  removing_ = true;
  Result<void> removed = co_await RemoveInOrder(offset);
  removing_ = false;
  removal_ended_.WakeAll();
  co_return removed;
}

// A segment that is there without the one behind it looks like damage at the next start: each is
// gone before the next is removed.
io::Task<Result<void>> LogFiles::RemoveInOrder(uint64_t offset) {
  for (;;) {
    if (unremoved_.empty()) {
      // While a file is removed, the log may start over or grow.
      if (segments_.size() <= 1 || segments_.front().index.end_offset() > offset) break;
      unremoved_ = segments_.front().path;
      segments_.pop_front();  // first, so that no read of it begins
    }
    Result<void> removed = co_await disk_.Remove(unremoved_);
    if (!removed && removed.error().code != Errc::kNotFound) co_return removed;
    unremoved_.clear();
  }
  co_return Result<void>{};
}

}  // namespace meridian::store
