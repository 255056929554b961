#include "watch/log/log_store.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "io/blocking.hpp"
#include "io/fiber.hpp"
#include "io/file/file_lock.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/limits.hpp"
#include "watch/log/segment/block.hpp"
#include "watch/log/segment/log_files.hpp"
#include "watch/log/segment/log_folder.hpp"
#include "watch/log/segment/segment.hpp"
#include "watch/log/segment/segment_writer.hpp"

namespace meridian::watch {
namespace {

// A quota of few bytes has several segments all the same, so that removing the oldest leaves most.
constexpr uint64_t kMinSegments = 4;

uint64_t SequenceOf(uint32_t segment, uint32_t line) { return uint64_t{segment} << 32 | line; }

uint64_t EndOf(const Segment& segment) {
  return SequenceOf(segment.number(), segment.trailer().end_line);
}

LogStoreOptions WithinLimits(LogStoreOptions options) {
  options.max_bytes = std::max(options.max_bytes, kMinStoreBytes);
  uint64_t max = std::max(options.max_bytes / kMinSegments, kMinSegmentBytes);
  options.segment_bytes = std::clamp(options.segment_bytes, kMinSegmentBytes, max);
  return options;
}

}  // namespace

LogStore::LogStore(LogStoreOptions options, io::Loop& loop, io::BlockingPool& pool, LogFiles& files)
    : options_(WithinLimits(std::move(options))),
      loop_(loop),
      pool_(pool),
      files_(files),
      segment_began_(loop.Now()),
      flushed_(loop.Now()),
      synced_(loop.Now() - kSyncInterval) {}  // the free space is looked at soon

io::Task<Result<std::unique_ptr<LogStore>>> LogStore::Open(LogStoreOptions options, io::Loop& loop,
                                                           io::BlockingPool& pool,
                                                           LogFiles& files) {
  auto store = std::make_unique<LogStore>(std::move(options), loop, pool, files);
  Result<void> recovered = co_await store->Recover();
  if (!recovered) co_return Fail(recovered.error());
  co_return store;
}

io::Task<Result<void>> LogStore::Recover() {
  auto opened = co_await io::RunBlocking(pool_, [this]() -> Result<LogFolder> {
    Result<io::FileLock> lock =
        io::FileLock::TryAcquire(options_.folder + "/lock", "the log store");
    if (!lock) return Fail(lock.error());
    lock_.emplace(std::move(*lock));
    return OpenLogFolder(files_, options_.folder);
  });
  if (!opened) co_return Fail(opened.error());
  segments_.assign(opened->segments.begin(), opened->segments.end());
  damaged_.assign(opened->damaged.begin(), opened->damaged.end());
  problems_ = std::move(opened->problems);
  status_.recovered_lines = opened->recovered_lines;
  // Entries may have had numbers of segments that were not made before the process ended.
  const bool is_new = opened->next_number == 1;
  segment_ = (is_new ? options_.first_segment : opened->next_number) + kMaxUnmadeSegments;
  begin_ = SequenceOf(segment_, 0);
  removed_end_ = begin_;
  if (!segments_.empty()) {
    removed_end_ = SequenceOf(segments_.front()->number(), 0);
    kept_end_ = EndOf(*segments_.back());
  }
  Result<void> open = co_await OpenWriter(segment_);
  if (!open) co_return open;
  co_return co_await io::RunBlocking(
      pool_, [&] { return MarkStart(options_.folder, segment_, opened->starts); });
}

// --- Adding

bool LogStore::Add(LogEntry entry) {
  if (waiting_bytes_ >= kMaxWaitingBytes) {
    ++status_.refused;
    return false;
  }
  pending_.Add(std::move(entry));
  ++status_.entries;
  if (pending_.full()) SealPending();
  arrivals_.WakeAll();
  return true;
}

void LogStore::SealPending() {
  if (pending_.lines() == 0) return;
  auto block = std::make_shared<RawBlock>(RawBlock{.segment = segment_,
                                                   .first_line = first_line_,
                                                   .range = pending_.range(),
                                                   .raw = pending_.Encode()});
  first_line_ += block->range.lines;
  segment_raw_bytes_ += block->raw.size();
  waiting_bytes_ += block->raw.size();
  waiting_.push_back(std::move(block));
  pending_.Clear();
  flushed_rows_ = 0;
  if (segment_raw_bytes_ >= options_.segment_bytes) BeginSegment();
  work_.WakeAll();
}

void LogStore::BeginSegment() {
  ++segment_;
  first_line_ = 0;
  segment_raw_bytes_ = 0;
  segment_began_ = loop_.Now();
}

uint64_t LogStore::end_sequence() const {
  return SequenceOf(segment_, first_line_ + static_cast<uint32_t>(pending_.lines()));
}

uint64_t LogStore::SequenceOfNewest(uint64_t bytes) const {
  uint64_t counted = open_ ? open_->bytes : 0;
  for (const auto& open : closing_) counted += open->bytes;
  for (auto segment = segments_.rbegin(); segment != segments_.rend(); ++segment) {
    counted += (*segment)->bytes();
    if (counted > bytes) return SequenceOf((*segment)->number() + 1, 0);
  }
  return 0;
}

// --- Writing

io::Task<void> LogStore::Run() {
  io::Fiber& fiber = co_await io::ThisFiber{};
  io::Scope closer(loop_);
  closer.Spawn(CloseSegments());
  while (!fiber.cancelled()) {
    if (waiting_.empty()) (void)co_await work_.Wait(loop_.After(kFlushInterval));
    bool has_lines = first_line_ > 0 || pending_.lines() > 0;
    if (has_lines && loop_.Now() >= segment_began_ + options_.max_segment_age) {
      SealPending();
      if (first_line_ > 0) BeginSegment();
    }
    co_await WriteWaiting();
    if (loop_.Now() >= flushed_ + kFlushInterval) co_await FlushPending();
    co_await SyncIfDue();
    co_await KeepQuota();
  }
  // Work of the pool is done in a cancelled fiber too.
  SealPending();
  co_await WriteWaiting();
  co_await LeaveToBeClosed();
  co_await closer.Join();
  synced_end_ = end_sequence();
}

io::Task<void> LogStore::WriteWaiting() {
  while (!waiting_.empty()) {
    std::shared_ptr<const RawBlock> block = waiting_.front();
    Result<void> written = co_await WriteBlock(block);
    OnDisk(written);
    waiting_.pop_front();
    waiting_bytes_ -= block->raw.size();
    written_end_ = SequenceOf(block->segment, block->first_line + block->range.lines);
    if (!written) NoteLoss(block->range.lines, written.error());
    co_await KeepQuota();
  }
  if (open_ && open_->writer->number() != segment_) co_await LeaveToBeClosed();
}

io::Task<Result<void>> LogStore::WriteBlock(std::shared_ptr<const RawBlock> block) {
  if (open_ && open_->writer->number() != block->segment) co_await LeaveToBeClosed();
  if (!open_) {
    Result<void> opened = co_await OpenWriter(block->segment);
    if (!opened) co_return opened;
  }
  for (;;) {
    auto stored = co_await io::RunBlocking(pool_, [&] { return open_->writer->Append(*block); });
    if (stored) {
      open_->blocks.push_back(std::move(*stored));
      open_->bytes = open_->writer->bytes();
      unsynced_ = true;
      co_return Result<void>{};
    }
    if (!co_await MakeRoom(stored.error())) co_return Fail(stored.error());
  }
}

io::Task<Result<void>> LogStore::OpenWriter(uint32_t number) {
  for (;;) {
    auto writer = co_await io::RunBlocking(
        pool_, [&] { return SegmentWriter::Create(files_, options_.folder, number); });
    if (writer) {
      open_ = std::make_unique<OpenSegment>();
      open_->writer = std::move(*writer);
      co_return Result<void>{};
    }
    if (!co_await MakeRoom(writer.error())) co_return Fail(writer.error());
  }
}

// Whether something was removed because the disk is full, so that it is worth another try.
io::Task<bool> LogStore::MakeRoom(Error error) {
  if (error.code != Errc::kUnavailable || !co_await RemoveOldest()) co_return false;
  ++status_.removed_for_room;
  co_return true;
}

// --- Closing

io::Task<void> LogStore::LeaveToBeClosed() {
  if (!open_) co_return;
  while (closing_.size() >= kMaxClosingSegments) {
    if (!co_await closed_.Wait()) break;  // cancelled: this is the last one
  }
  closing_.push_back(std::move(open_));
  closable_.WakeAll();
}

io::Task<void> LogStore::CloseSegments() {
  io::Fiber& fiber = co_await io::ThisFiber{};
  for (;;) {
    if (closing_.empty()) {
      if (fiber.cancelled()) co_return;
      (void)co_await closable_.Wait();
      continue;
    }
    OnDisk(co_await CloseSegment(*closing_.front()));
    closing_.pop_front();
    closed_.WakeAll();
  }
}

io::Task<Result<void>> LogStore::CloseSegment(OpenSegment& open) {
  SegmentWriter& writer = *open.writer;
  if (open.blocks.empty()) {
    co_return co_await io::RunBlocking(pool_, [&] { return writer.Discard(); });
  }
  for (;;) {
    auto segment = co_await io::RunBlocking(pool_, [&] { return writer.Close(); });
    if (segment) {
      segments_.push_back(std::move(*segment));
      co_return Result<void>{};
    }
    if (co_await MakeRoom(segment.error())) continue;
    if (writer.sync_failed()) NoteUnsynced(open, segment.error());
    if (problems_.size() < kMaxListedProblems) {
      problems_.push_back(
          fmt::format("{}: not closed, its lines are missing until the next start: {}",
                      writer.paths().log, segment.error().message));
    }
    co_return Fail(segment.error());
  }
}

// Lines that wait for their block to be full.
io::Task<void> LogStore::FlushPending() {
  flushed_ = loop_.Now();
  if (pending_.lines() == flushed_rows_ || !waiting_.empty()) co_return;
  if (!open_) {
    Result<void> opened = co_await OpenWriter(segment_);
    OnDisk(opened);
    if (!opened) co_return;
  }
  // While the file was made, the block may have become full.
  if (!waiting_.empty() || open_->writer->number() != segment_) co_return;
  size_t rows = pending_.lines();
  uint32_t block_begin = first_line_;
  uint32_t first_line = first_line_ + static_cast<uint32_t>(flushed_rows_);
  std::string raw = pending_.Encode(flushed_rows_);
  Result<void> written =
      co_await io::RunBlocking(pool_, [&] { return open_->writer->AppendTail(first_line, raw); });
  OnDisk(written);
  open_->bytes = open_->writer->bytes();
  unsynced_ = true;
  bool is_same_block = open_->writer->number() == segment_ && block_begin == first_line_;
  if (!written) co_return;
  written_end_ = std::max(written_end_, SequenceOf(open_->writer->number(), block_begin) + rows);
  if (is_same_block) flushed_rows_ = rows;
}

io::Task<void> LogStore::SyncIfDue() {
  if (loop_.Now() < synced_ + kSyncInterval) co_return;
  synced_ = loop_.Now();
  // A segment that is being closed is synced by that.
  const bool all_written = waiting_.empty() && pending_.lines() == flushed_rows_;
  uint64_t end = closing_.empty() ? written_end_ : synced_end_;
  if (closing_.empty() && all_written) end = end_sequence();
  Result<void> synced;
  // Without lines to write, it alone tells that a problem is over.
  if (!open_ && all_written && problem_.lasts()) OnDisk(co_await OpenWriter(segment_));
  if (open_ && (unsynced_ || problem_.lasts())) {
    unsynced_ = false;
    synced = co_await io::RunBlocking(pool_, [this] { return open_->writer->Sync(); });
    // A sync says nothing about room for lines that are still to be written.
    if (!synced || all_written) OnDisk(synced);
    if (!synced) LeaveUnsynced(synced.error());
  }
  if (synced) synced_end_ = std::max(synced_end_, end);
  auto free = co_await io::RunBlocking(pool_, [this] { return files_.FreeBytes(options_.folder); });
  uint64_t freed = 0;
  while (free && *free + freed < options_.reserve_bytes && !segments_.empty()) {
    freed += segments_.front()->bytes();
    if (!co_await RemoveOldest()) break;
    ++status_.removed_for_room;
  }
}

// After a failed sync the kernel may have dropped what it could not write, and a second sync would
// succeed without it. So the blocks since the last good one count as lost. The lines that are still
// in memory are written as a block, and later ones to another segment.
void LogStore::LeaveUnsynced(const Error& error) {
  const uint32_t number = open_->writer->number();
  if (number == segment_) SealPending();
  if (number == segment_ && first_line_ > 0) BeginSegment();
  NoteUnsynced(*open_, error);
}

void LogStore::NoteUnsynced(const OpenSegment& open, const Error& error) {
  uint64_t lines = 0;
  const uint64_t synced = synced_end_;
  for (const auto& block : open.blocks) {
    const uint64_t first = SequenceOf(open.writer->number(), block->place.first_line);
    const uint64_t end = first + block->place.range.lines;
    lines += end - std::clamp(synced, first, end);
    synced_end_ = std::max(synced_end_, end);
  }
  if (lines > 0) NoteLoss(lines, error);
}

uint64_t LogStore::Bytes() const {
  uint64_t bytes = open_ ? open_->bytes : 0;
  for (const auto& open : closing_) bytes += open->bytes;
  for (const auto& segment : segments_) bytes += segment->bytes();
  for (const DamagedFile& file : damaged_) bytes += file.bytes;
  return bytes;
}

io::Task<void> LogStore::KeepQuota() {
  while (Bytes() > options_.max_bytes || segments_.size() > kMaxSegments) {
    if (!co_await RemoveOldest()) break;
    ++status_.removed_segments;
  }
}

// The oldest segment or damaged file. False: there is none, or it cannot be removed.
io::Task<bool> LogStore::RemoveOldest() {
  if (!damaged_.empty() &&
      (segments_.empty() || damaged_.front().segment < segments_.front()->number())) {
    std::string path = damaged_.front().path;
    damaged_.pop_front();
    std::erase_if(problems_, [&](const std::string& problem) { return problem.starts_with(path); });
    Result<void> removed = co_await io::RunBlocking(pool_, [&] { return RemoveFile(path); });
    if (!removed) OnDisk(removed);
    co_return removed.has_value();
  }
  if (segments_.empty()) co_return false;
  std::shared_ptr<const Segment> segment = segments_.front();
  segments_.pop_front();
  removed_end_ = std::max(removed_end_, EndOf(*segment));
  std::erase_if(problems_, [&](const std::string& problem) {
    return problem.starts_with(segment->paths().log);
  });
  Result<void> removed = co_await io::RunBlocking(pool_, [&] { return segment->Remove(); });
  if (!removed) OnDisk(removed);  // that it was removed does not say that lines can be written
  co_return removed.has_value();
}

void LogStore::NoteLoss(uint64_t lines, const Error& error) {
  status_.lost += lines;
  unreported_loss_ += lines;
  LogTime now = ToLogTime(loop_.Wall());
  LogEntry entry{
      .origin = {.tier = "watch"}, .time = now, .arrival = now, .severity = Severity::kError};
  entry.marks.Set(EntryMark::kDropped);
  entry.text = fmt::format("{} entries of all sources lost: {}", unreported_loss_, error.message);
  if (Add(std::move(entry))) unreported_loss_ = 0;
}

void LogStore::OnDisk(const Result<void>& result) {
  if (result) {
    if (problem_.OnSolved()) LOG_INFO("the log store can write again", {"folder", options_.folder});
  } else if (problem_.OnProblem(result.error().message, loop_.Now())) {
    LOG_ERROR("the log store cannot write", {"folder", options_.folder},
              {"error", result.error().message});
  }
}

LogStoreStatus LogStore::status() const {
  LogStoreStatus status = status_;
  status.bytes = Bytes();
  status.waiting_bytes = waiting_bytes_;
  status.segments = segments_.size();
  status.problem = problem_.text();
  return status;
}

}  // namespace meridian::watch
