#include "store/journal.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "base/log.hpp"
#include "base/recurring_problem.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "store/applier.hpp"
#include "store/clock_file.hpp"
#include "store/limits.hpp"
#include "store/log/log.hpp"
#include "store/log/record.hpp"
#include "store/snapshot/snapshot.hpp"

namespace meridian::store {

Journal::Journal(io::Loop& loop, HybridClock& clock, JournalOptions options)
    : loop_(loop), clock_(clock), options_(std::move(options)), background_(loop) {}

io::Task<Result<std::unique_ptr<Journal>>> Journal::Open(io::Loop& loop, io::Disk& disk,
                                                         HybridClock& clock,
                                                         JournalOptions options) {
  std::unique_ptr<Journal> journal(new Journal(loop, clock, std::move(options)));
  Result<void> opened = co_await disk.MakeFolder(journal->options_.folder);
  if (opened) opened = co_await journal->OpenAll(disk);
  if (!opened) {
    co_await journal->Close();
    co_return Fail(std::move(opened.error()));
  }
  co_return journal;
}

io::Task<Result<void>> Journal::OpenAll(io::Disk& disk) {
  const std::string& folder = options_.folder;
  auto clock_file = co_await ClockFile::Open(
      loop_, disk, clock_, {.folder = folder, .on_disk_failure = options_.on_disk_failure});
  if (!clock_file) co_return Fail(std::move(clock_file.error()));
  clock_file_ = std::move(*clock_file);
  auto snapshots = co_await Snapshots::Open(disk, folder + "/snapshots",
                                            options_.headroom_bytes / kSnapshotReserveShare);
  if (!snapshots) co_return Fail(std::move(snapshots.error()));
  snapshots_ = std::move(*snapshots);
  const auto& newest = snapshots_->newest();
  auto log = co_await Log::Open(loop_, disk,
                                {.folder = folder + "/log",
                                 .name = options_.name,
                                 .id = options_.log_id,
                                 .segment_bytes = options_.segment_bytes,
                                 .headroom_bytes = options_.headroom_bytes,
                                 .retention = {.released_before = newest ? newest->end_offset : 0},
                                 .on_disk_failure = options_.on_disk_failure});
  if (!log) co_return Fail(std::move(log.error()));
  log_ = std::move(*log);
  end_ = log_->end_offset();
  co_return Result<void>{};
}

io::Task<void> Journal::Close() {
  // The records that wait for room go into the log first.
  while (log_ && !waiting_.empty() && co_await io::Sleep(kFeedPause)) {
  }
  background_.Cancel();
  co_await background_.Join();
  if (log_) co_await log_->Close();
  if (clock_file_) co_await clock_file_->Close();
}

Result<void> Journal::Writable() const {
  if (waiting_bytes_ > kMaxWaitingBytes) {
    return Fail(Errc::kUnavailable, "too much is waiting for the disk");
  }
  return log_->Writable();
}

uint64_t Journal::Append(const NewRecord& record) {
  CHECK(record.body.size() <= kMaxRecordBytes);
  end_ += record.span;
  if (waiting_.empty() && log_->Append(record)) return end_;
  if (waiting_.empty()) background_.Spawn(FeedLog());
  waiting_bytes_ += record.body.size();
  waiting_.push_back({{record.body.begin(), record.body.end()}, record.time, record.span});
  return end_;
}

io::Task<void> Journal::FeedLog() {
  while (!waiting_.empty()) {
    const Waiting& next = waiting_.front();
    if (log_->Append({.body = next.body, .time = next.time, .span = next.span})) {
      waiting_bytes_ -= next.body.size();
      waiting_.pop_front();
    } else if (!co_await io::Sleep(kFeedPause)) {
      co_return;
    }
  }
}

io::Task<Result<void>> Journal::AwaitDurable(uint64_t end_offset) {
  if (end_offset == 0) co_return Result<void>{};
  TimePoint full_until = kNever;
  for (;;) {
    Result<void> durable = co_await log_->Durable(end_offset, full_until);
    // A full disk may get room again: then the change is acknowledged, late.
    if (durable || durable.error().code != Errc::kUnavailable) co_return durable;
    if (full_until == kNever) full_until = loop_.After(kFullDiskTimeout);
    if (loop_.Now() >= full_until) co_return durable;
    if (!co_await io::Sleep(kFeedPause)) co_return Fail(Errc::kCancelled, "the journal");
  }
}

io::Task<Result<void>> Journal::Recover(Applier& state) {
  uint64_t offset = 0;
  if (snapshots_->newest()) {
    Result<uint64_t> loaded = co_await LoadNewest(*snapshots_, state);
    if (!loaded) co_return Fail(std::move(loaded.error()));
    offset = *loaded;
  }
  if (log_->begin_offset() > offset) {
    co_return Fail(Errc::kIo,
                   "{}: the log begins at offset {}, and the newest snapshot reaches to {}: what "
                   "lies between is lost",
                   options_.folder, log_->begin_offset(), offset);
  }
  while (offset < log_->durable_end_offset()) {
    auto batch = co_await log_->Read(offset, kMaxReadBytes);
    if (!batch) co_return Fail(std::move(batch.error()));
    Result<void> applied;
    batch->ForEach([&](const Record& record) {
      if (applied) applied = state.Apply(record);
    });
    if (!applied) co_return applied;
    offset = batch->end_offset();
    Result<void> room = co_await state.AwaitRoom();
    if (!room) co_return room;
  }
  co_return Result<void>{};
}

void Journal::StartSnapshots(JournaledState& state) { background_.Spawn(SnapshotRegularly(state)); }

io::Task<void> Journal::SnapshotRegularly(JournaledState& state) {
  RecurringProblem problem;
  Duration pause = kSnapshotCheckPause;
  for (;;) {
    Result<void> requested = co_await request_.Wait(loop_.After(kSnapshotCheckPause));
    if (!requested && requested.error().code != Errc::kTimeout) co_return;
    uint64_t enough = std::max<uint64_t>(options_.snapshot_log_bytes,
                                         options_.snapshot_memory_factor * state.memory_bytes());
    if (log_->bytes() < enough && fulfilled_ == requested_) continue;
    uint64_t number = requested_;
    uint64_t end_offset = state.BeginSnapshot(log_->durable_end_offset());
    Result<void> written = co_await WriteSnapshot(state, end_offset);
    state.EndSnapshot(written.has_value());
    if (written) {
      fulfilled_ = number;
      fulfilment_.WakeAll();
      problem.OnSolved();
      snapshot_problem_.clear();
      pause = kSnapshotCheckPause;
      continue;
    }
    if (written.error().code == Errc::kCancelled) co_return;
    snapshot_problem_ = written.error().message;
    if (problem.OnProblem(snapshot_problem_, loop_.Now())) {
      LOG_WARNING("a snapshot failed", {"log", options_.name}, {"problem", snapshot_problem_});
    }
    if (!co_await io::Sleep(pause)) co_return;
    pause = std::min(2 * pause, kMaxSnapshotPause);
  }
}

io::Task<Result<void>> Journal::WriteSnapshotNow() {
  uint64_t number = ++requested_;
  request_.WakeAll();
  while (fulfilled_ < number) {
    Result<void> woken = co_await fulfilment_.Wait();
    if (!woken) co_return woken;
  }
  co_return Result<void>{};
}

// The epoch of the last record below `end_offset`; zero when there is none.
io::Task<uint32_t> Journal::EpochBefore(uint64_t end_offset) {
  if (end_offset == log_->begin_offset()) {
    const auto& newest = snapshots_->newest();
    co_return newest ? newest->epoch : 0;
  }
  auto last = co_await log_->Read(end_offset - 1, 1);
  // A damaged record must not keep the snapshot that replaces it from being written.
  co_return last ? last->epoch() : log_->newest_epoch();
}

io::Task<Result<void>> Journal::WriteSnapshot(JournaledState& state, uint64_t end_offset) {
  HybridTime time = clock_.last();
  uint32_t epoch = co_await EpochBefore(end_offset);
  auto writer = co_await snapshots_->Begin(
      {.log_id = log_->id(), .end_offset = end_offset, .time = time, .epoch = epoch},
      state.memory_bytes() / kSnapshotMemoryShare);
  if (!writer) co_return Fail(std::move(writer.error()));
  Result<void> written = co_await state.WriteItems(**writer);
  // A change that is in the snapshot and not in the log would exist only here after a crash.
  if (written) written = co_await AwaitDurable(end_);
  if (written) written = co_await (*writer)->Commit();
  if (written) {
    log_->SetRetention({.released_before = end_offset});
  } else {
    co_await (*writer)->Abandon();
  }
  co_return written;
}

}  // namespace meridian::store
