#include "store/log/log.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "store/limits.hpp"
#include "store/log/log_files.hpp"
#include "store/log/record.hpp"
#include "store/log/retention.hpp"

namespace meridian::store {

Log::Log(io::Loop& loop, io::Disk& disk, LogOptions options)
    : loop_(loop),
      options_(std::move(options)),
      files_(disk, options_.folder),
      space_(options_.headroom_bytes),
      writer_(loop),
      upkeep_(loop) {
  if (options_.name.empty()) options_.name = options_.folder;
  options_.segment_bytes = std::max(options_.segment_bytes, kMinSegmentBytes);
}

Log::~Log() = default;

io::Task<Result<std::unique_ptr<Log>>> Log::Open(io::Loop& loop, io::Disk& disk,
                                                 LogOptions options) {
  CHECK(options.begin_offset <= kMaxOffset);
  std::unique_ptr<Log> log(new Log(loop, disk, std::move(options)));
  auto opened = co_await log->files_.Open(
      {.id = log->options_.id, .begin_offset = log->options_.begin_offset});
  if (!opened) co_return Fail(opened.error());
  log->end_ = log->durable_end_offset();
  log->filling_->begin = log->end_;
  log->epoch_ = log->newest_epoch_ = log->files_.newest_epoch();
  log->writer_.Spawn(log->WriteGroups());
  log->upkeep_.Spawn(log->Upkeep());
  co_return log;
}

io::Task<void> Log::Close() {
  closing_ = true;
  group_begun_.WakeAll();
  upkeep_.Cancel();
  co_await upkeep_.Join();
  co_await writer_.Join();
  for (Group& group : groups_) group.waiting.WakeAll();
}

void Log::RaiseEpoch(uint32_t epoch) {
  CHECK(epoch >= epoch_);
  epoch_ = epoch;
}

Result<void> Log::Writable() const {
  if (failed_) return meridian::Fail(Errc::kIo, "log {}: its disk has failed", name());
  if (closing_) return meridian::Fail(Errc::kClosed, "log {} is closed", name());
  if (!full_.empty()) {
    return meridian::Fail(Errc::kUnavailable, "log {} cannot be written: {}", name(), full_);
  }
  if (!space_.HasRoomFor(0)) {
    return meridian::Fail(Errc::kUnavailable,
                          "log {}: the disk is nearly full; {} bytes must stay free", name(),
                          options_.headroom_bytes);
  }
  if (files_.segments() >= kMaxSegments && files_.last_segment_bytes() >= options_.segment_bytes) {
    return meridian::Fail(Errc::kUnavailable, "log {} has {} segments, which is the limit", name(),
                          files_.segments());
  }
  return {};
}

Result<void> Log::TakeRoom(size_t body_bytes, uint32_t span) const {
  if (body_bytes > kMaxRecordBytes) {
    return meridian::Fail(Errc::kTooLarge, "a record of {} bytes; at most {} are allowed",
                          body_bytes, kMaxRecordBytes);
  }
  if (span < 1 || span > kMaxRecordSpan || end_ > kMaxOffset - span) {
    return meridian::Fail(Errc::kTooLarge, "a record of {} offsets; at most {} are allowed", span,
                          kMaxRecordSpan);
  }
  if (Result<void> writable = Writable(); !writable) return writable;
  bool fits = filling_->encoded.size() + body_bytes + kRecordHeaderBytes <= kMaxPendingBytes;
  // The header counts offsets that are not synced in 32 bits.
  bool countable = end_ - filling_->begin <= std::numeric_limits<uint32_t>::max();
  if (fits && countable) return {};
  return meridian::Fail(Errc::kUnavailable, "log {}: {} bytes wait for the disk already", name(),
                        filling_->encoded.size());
}

// Copies the body once, into the buffer that is written to disk.
void Log::AppendToGroup(Record record) {
  bool begins = filling_->encoded.empty();
  record.above_synced = static_cast<uint32_t>(record.offset - filling_->begin);
  AppendRecord(record, filling_->encoded);
  filling_->records.push_back({.offset = record.offset,
                               .span = record.span,
                               .bytes = static_cast<uint32_t>(record.encoded_bytes()),
                               .time = record.time});
  space_.Charge(record.encoded_bytes());
  end_ = record.end_offset();
  newest_epoch_ = record.epoch;
  filling_->epoch = record.epoch;
  if (begins) group_begun_.WakeOne();
}

Result<uint64_t> Log::Append(const NewRecord& record) {
  if (Result<void> room = TakeRoom(record.body.size(), record.span); !room) {
    return meridian::Fail(room.error());
  }
  AppendToGroup({.offset = end_,
                 .time = record.time,
                 .epoch = epoch_,
                 .span = record.span,
                 .body = record.body});
  return end_;
}

Result<void> Log::AppendCopy(const Record& record) {
  if (record.offset != end_) {
    return meridian::Fail(Errc::kInvalid, "log {}: a record at offset {} where {} comes next",
                          name(), record.offset, end_);
  }
  if (record.epoch < newest_epoch_) {
    return meridian::Fail(Errc::kInvalid, "log {}: a record of epoch {} behind one of epoch {}",
                          name(), record.epoch, newest_epoch_);
  }
  if (Result<void> room = TakeRoom(record.body.size(), record.span); !room) return room;
  epoch_ = std::max(epoch_, record.epoch);
  AppendToGroup(record);
  return {};
}

io::Task<Result<void>> Log::Durable(uint64_t end_offset, TimePoint deadline) {
  while (end_offset > durable_end_offset()) {
    // What was appended before Close is still written, for as long as the disk takes it.
    bool appended = end_offset <= end_;
    bool given_up = appended ? !full_.empty() || writer_.empty() : closing_;
    if (failed_ || given_up) {
      if (Result<void> writable = Writable(); !writable) co_return writable;
      co_return meridian::Fail(Errc::kClosed, "log {} is closing", name());
    }
    Group& group = end_offset <= filling_->begin ? *writing_ : *filling_;
    if (auto woken = co_await group.waiting.Wait(deadline); !woken) co_return woken;
  }
  co_return Result<void>{};
}

io::Task<void> Log::WriteGroups() {
  for (;;) {
    while (filling_->encoded.empty()) {
      if (closing_) co_return;
      if (!co_await group_begun_.Wait()) co_return;
    }
    // Appends of ready fibers join the group: under load groups are fewer and larger.
    for (int i = 0; i < kGatherRounds && loop_.others_ready(); ++i) co_await io::AfterOthers{};
    io::Loop::EventBatching event_batching(loop_);
    if (event_batching.in_burst()) {
      if (!co_await io::Sleep(kGatherDelay)) co_return;
    }
    std::swap(filling_, writing_);
    filling_->begin = end_;
    if (!co_await WriteGroup()) co_return;
    FinishGroup();
  }
}

// One write and one sync. On a full disk it waits; the next attempt overwrites a part of the group
// that was written. False: the log must not write any more.
io::Task<bool> Log::WriteGroup() {
  for (;;) {
    Result<void> written = co_await TryGroup();
    if (written) {
      full_.clear();
      co_return true;
    }
    if (written.error().code == Errc::kCancelled) co_return false;
    if (written.error().code != Errc::kUnavailable) {
      FailWith(written.error());
      co_return false;
    }
    if (full_ != written.error().message) {
      LOG_ERROR("log: cannot be written now, writes are refused", {"log", name()},
                {"error", written.error().message});
    }
    full_ = std::move(written.error().message);
    for (Group& group : groups_) group.waiting.WakeAll();
    if (closing_ || !co_await io::Sleep(kFullDiskRetry)) co_return false;
  }
}

io::Task<Result<void>> Log::TryGroup() {
  if (files_.last_segment_bytes() >= options_.segment_bytes && files_.segments() < kMaxSegments) {
    if (auto rolled = co_await files_.Roll(); !rolled) co_return rolled;
  }
  co_return co_await files_.WriteAndSync(writing_->encoded);
}

void Log::FinishGroup() {
  ++written_.groups;
  written_.bytes += writing_->encoded.size();
  files_.Add(writing_->records, writing_->epoch);
  writing_->records.clear();
  writing_->encoded.clear();
  writing_->waiting.WakeAll();
}

void Log::FailWith(const Error& error) {
  options_.on_disk_failure(error);
  failed_ = true;
  for (Group& group : groups_) group.waiting.WakeAll();
}

io::Task<Result<RecordBatch>> Log::Read(uint64_t from, size_t max_bytes) {
  co_return co_await files_.Read(from, max_bytes);
}

io::Task<Result<uint64_t>> Log::OffsetAt(HybridTime time) {
  uint64_t offset = files_.OffsetBefore(time);
  while (offset < durable_end_offset()) {
    offset = files_.NextReadable(std::max(offset, begin_offset()));
    auto batch = co_await files_.Read(offset, kIndexIntervalBytes);
    if (!batch) co_return meridian::Fail(batch.error());
    std::optional<uint64_t> found;
    batch->ForEach([&](const Record& record) {
      if (!found && record.time >= time) found = record.offset;
    });
    if (found) co_return *found;
    if (!batch->empty()) offset = batch->end_offset();
  }
  co_return offset;
}

io::Task<void> Log::Upkeep() {
  for (;;) {
    co_await LookForRoom();
    if (auto removed = co_await ApplyRetention(); !removed) {
      if (removed.error().code == Errc::kCancelled) co_return;
      LOG_WARNING("log: a segment could not be removed", {"log", name()},
                  {"error", removed.error().message});
    }
    const uint64_t groups = written_.groups;
    if (!co_await io::Sleep(kUpkeepInterval)) co_return;
    if (written_.groups == groups) GiveMemoryBack();
  }
}

// Not between groups that follow each other: fresh memory costs more than the copy into it.
void Log::GiveMemoryBack() {
  for (Group& group : groups_) {
    if (!group.encoded.empty() || group.encoded.capacity() <= kKeptGroupBytes) continue;
    group.encoded = {};
    group.records = {};
  }
}

io::Task<void> Log::LookForRoom() {
  uint64_t charged = space_.charged();
  uint64_t unwritten = filling_->encoded.size() + writing_->encoded.size();
  Result<uint64_t> free = co_await files_.FreeBytes();
  if (!free) co_return;  // then writing tells
  space_.Take(*free, charged, unwritten);
  bool low = !space_.HasRoomFor(0);
  if (low && !low_) {
    LOG_ERROR("log: the disk is nearly full, writes are refused", {"log", name()},
              {"free_bytes", *free}, {"headroom_bytes", options_.headroom_bytes});
  }
  low_ = low;
}

io::Task<Result<void>> Log::ApplyRetention() {
  uint64_t below = RemovableBelow(files_.Summaries(), options_.retention, loop_.Wall());
  co_return co_await files_.RemoveBelow(below);
}

io::Task<Result<void>> Log::StartOver(uint64_t offset, uint64_t id) {
  if (offset < end_ || offset > kMaxOffset) {
    co_return meridian::Fail(Errc::kInvalid, "log {} reaches to offset {} and cannot start at {}",
                             name(), end_, offset);
  }
  if (durable_end_offset() < end_) {
    if (auto durable = co_await Durable(end_); !durable) co_return durable;
  }
  auto begun = co_await files_.StartOver({.id = id, .begin_offset = offset});
  if (!begun) {
    // On a full disk nothing was changed yet, and the log stays as it was.
    Errc code = begun.error().code;
    if (code != Errc::kCancelled && code != Errc::kUnavailable) FailWith(begun.error());
    co_return begun;
  }
  end_ = offset;
  filling_->begin = offset;
  newest_epoch_ = 0;
  for (Group& group : groups_) group.waiting.WakeAll();
  co_return Result<void>{};
}

}  // namespace meridian::store
