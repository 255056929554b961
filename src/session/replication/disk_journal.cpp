#include "session/replication/disk_journal.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "base/log.hpp"
#include "base/recurring_problem.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "session/data/keyspace.hpp"
#include "session/limits.hpp"
#include "session/replication/basis.hpp"
#include "session/replication/log_entry.hpp"
#include "session/replication/snapshot_item.hpp"
#include "store/limits.hpp"
#include "store/log/log.hpp"
#include "store/log/record.hpp"
#include "store/mirror/clock_file.hpp"
#include "store/snapshot/snapshot.hpp"
#include "store/snapshot/snapshot_format.hpp"

namespace meridian::session {
DiskJournal::DiskJournal(io::Loop& loop, HybridClock& clock, Options options)
    : loop_(loop), clock_(clock), options_(std::move(options)), background_(loop) {}

DiskJournal::~DiskJournal() = default;

io::Task<Result<std::unique_ptr<DiskJournal>>> DiskJournal::Open(io::Loop& loop, io::Disk& disk,
                                                                 HybridClock& clock,
                                                                 Options options) {
  std::unique_ptr<DiskJournal> journal(new DiskJournal(loop, clock, std::move(options)));
  Result<void> opened = co_await disk.MakeFolder(journal->options_.folder);
  if (opened) opened = co_await journal->OpenAll(disk);
  if (!opened) {
    co_await journal->Close();
    co_return Fail(std::move(opened.error()));
  }
  co_return journal;
}

io::Task<Result<void>> DiskJournal::OpenAll(io::Disk& disk) {
  const std::string& folder = options_.folder;
  auto clock_file = co_await store::ClockFile::Open(
      loop_, disk, clock_, {.folder = folder, .on_disk_failure = options_.on_disk_failure});
  if (!clock_file) co_return Fail(std::move(clock_file.error()));
  clock_file_ = std::move(*clock_file);
  auto snapshots = co_await store::Snapshots::Open(disk, folder + "/snapshots");
  if (!snapshots) co_return Fail(std::move(snapshots.error()));
  snapshots_ = std::move(*snapshots);
  const auto& newest = snapshots_->newest();
  auto log =
      co_await store::Log::Open(loop_, disk,
                                {.folder = folder + "/log",
                                 .name = "session",
                                 .id = options_.log_id,
                                 .segment_bytes = options_.segment_bytes,
                                 .headroom_bytes = options_.headroom_bytes,
                                 .retention = {.released_before = newest ? newest->offset : 0},
                                 .on_disk_failure = options_.on_disk_failure});
  if (!log) co_return Fail(std::move(log.error()));
  log_ = std::move(*log);
  end_ = log_->end_offset();
  co_return Result<void>{};
}

io::Task<void> DiskJournal::Close() {
  // What waits for room is fed to the log first.
  while (log_ && !waiting_.empty() && co_await io::Sleep(kFeedPause)) {
  }
  background_.Cancel();
  co_await background_.Join();
  if (log_) co_await log_->Close();
  if (clock_file_) co_await clock_file_->Close();
}

// --- Appending -----------------------------------------------------------------------------------

std::string DiskJournal::refusal() const {
  if (waiting_bytes_ > kMaxWaitingBytes) return "too much is waiting for the disk";
  Result<void> writable = log_->Writable();
  return writable ? "" : writable.error().message;
}

bool DiskJournal::TryAppend(std::string_view entry, HybridTime time) {
  return log_->Append({.body = AsBytes(entry), .time = time}).has_value();
}

void DiskJournal::AppendEntry(EntryKind kind, Bytes body) {
  entry_.assign(1, static_cast<char>(kind));
  entry_ += AsText(body);
  ++end_;
  if (waiting_.empty() && TryAppend(entry_, clock_.last())) return;
  if (waiting_.empty()) background_.Spawn(FeedLog());
  waiting_bytes_ += entry_.size();
  waiting_.push_back({entry_, clock_.last()});
}

uint64_t DiskJournal::Append(Bytes record) {
  constexpr size_t kMost = store::kMaxRecordBytes - 1;
  bool is_long = record.size() > kMost;
  // Several that are not durable yet count as one.
  if (is_long && durable() >= long_end_) long_begin_ = end_;
  for (; record.size() > kMost; record = record.subspan(kMost)) {
    AppendEntry(EntryKind::kMoreParts, record.first(kMost));
  }
  AppendEntry(EntryKind::kRecord, record);
  if (is_long) long_end_ = end_;
  return end_;
}

uint64_t DiskJournal::AppendBeat(std::string_view beat) {
  AppendEntry(EntryKind::kBeat, AsBytes(beat));
  return end_;
}

io::Task<void> DiskJournal::FeedLog() {
  while (!waiting_.empty()) {
    if (TryAppend(waiting_.front().entry, waiting_.front().time)) {
      waiting_bytes_ -= waiting_.front().entry.size();
      waiting_.pop_front();
    } else if (!co_await io::Sleep(kFeedPause)) {
      co_return;
    }
  }
}

io::Task<Result<void>> DiskJournal::AwaitDurable(uint64_t offset) {
  if (offset == 0) co_return Result<void>{};
  TimePoint full_until = kNever;
  for (;;) {
    Result<void> durable = co_await log_->Durable(offset - 1, full_until);
    // A full disk may get room again: what was executed is answered then, or not at all.
    if (durable || durable.error().code != Errc::kUnavailable) co_return durable;
    if (full_until == kNever) full_until = loop_.After(kFullDiskPatience);
    if (loop_.Now() >= full_until) co_return durable;
    if (!co_await io::Sleep(kFeedPause)) co_return Fail(Errc::kCancelled, "the journal");
  }
}

// --- Replaying -----------------------------------------------------------------------------------

io::Task<Result<SnapshotBasis>> DiskJournal::ReplaySnapshot(Keyspace& keyspace) {
  SnapshotBasis basis;
  if (!snapshots_->newest()) co_return basis;
  auto reader = co_await snapshots_->ReadNewest();
  if (!reader) co_return Fail(std::move(reader.error()));
  ItemReader items;
  for (;;) {
    auto block = co_await (*reader)->NextBlock();
    if (!block) co_return Fail(std::move(block.error()));
    if (!block->has_value()) co_return basis;
    Result<void> applied;
    Result<void> whole = store::ForEachItem(**block, [&](Bytes item) {
      if (!applied) return;
      if (!IsBasis(item)) {
        applied = ApplyItem(items, item, keyspace);
      } else if (Result<SnapshotBasis> read = DecodeBasis(item); read) {
        basis = std::move(*read);
      } else {
        applied = Fail(std::move(read.error()));
      }
    });
    if (!whole) co_return Fail(std::move(whole.error()));
    if (!applied) co_return Fail(std::move(applied.error()));
  }
}

// The stamps are our own, and the clock has started above them.
io::Task<Result<void>> DiskJournal::ReplayLog(Keyspace& keyspace, uint64_t offset) {
  EntryReader entries;
  while (offset < log_->durable_end()) {
    auto batch = co_await log_->Read(offset, store::kMaxReadBytes);
    if (!batch) co_return Fail(std::move(batch.error()));
    Result<void> applied;
    batch->ForEach([&](const store::Record& record) {
      if (!applied) return;
      Result<EntryReader::Taken> taken = entries.Take(record.body);
      if (!taken) {
        applied = Fail(std::move(taken.error()));
      } else if (taken->found == EntryReader::Found::kRecord) {
        applied = keyspace.Apply(taken->bytes);
      }
    });
    if (!applied) co_return applied;
    offset = batch->next_offset();
  }
  // The process ended within a record: nobody was told that it is durable, and what comes behind
  // its parts must not be taken for the rest of it, here or elsewhere.
  if (entries.within_record()) AppendEntry(EntryKind::kAbandoned, {});
  co_return Result<void>{};
}

io::Task<Result<SnapshotBasis>> DiskJournal::Replay(Keyspace& keyspace) {
  keyspace.SetNow(loop_.Wall());
  Result<SnapshotBasis> basis = co_await ReplaySnapshot(keyspace);
  if (!basis) co_return basis;
  if (basis->known > keyspace.known()) keyspace.set_known(basis->known);
  uint64_t offset = log_->begin_offset();
  if (snapshots_->newest()) offset = std::max(offset, snapshots_->newest()->offset);
  Result<void> replayed = co_await ReplayLog(keyspace, offset);
  if (!replayed) co_return Fail(std::move(replayed.error()));
  LOG_INFO("keys are back", {"keys", keyspace.size()}, {"log_records", log_->durable_end()});
  co_return basis;
}

// --- Snapshots -----------------------------------------------------------------------------------

void DiskJournal::StartSnapshots(Keyspace& keyspace, Snapshotting around) {
  background_.Spawn(SnapshotRegularly(keyspace, std::move(around)));
}

io::Task<void> DiskJournal::SnapshotRegularly(Keyspace& keyspace, Snapshotting around) {
  RecurringProblem problem;
  for (;;) {
    Result<void> asked = co_await asking_.Wait(loop_.After(kSnapshotCheckPause));
    if (!asked && asked.error().code != Errc::kTimeout) co_return;
    uint64_t enough = std::max<uint64_t>(options_.snapshot_log_bytes,
                                         options_.snapshot_memory_factor * keyspace.used_bytes());
    if (log_->bytes() < enough && written_ == asked_) continue;
    uint64_t begun = asked_;
    SnapshotBasis basis = around.begin();
    Result<void> written = co_await WriteSnapshot(keyspace, basis);
    around.end(written ? &basis : nullptr);
    if (written) {
      written_ = begun;
      writing_.WakeAll();
    }
    if (!written && written.error().code == Errc::kCancelled) co_return;
    if (written) problem.OnSolved();
    if (!written && problem.OnProblem(written.error().message, loop_.Now())) {
      LOG_WARNING("a snapshot failed", {"problem", written.error().message});
    }
  }
}

io::Task<Result<void>> DiskJournal::WriteSnapshotNow() {
  uint64_t number = ++asked_;
  asking_.WakeAll();
  while (written_ < number) {
    Result<void> woken = co_await writing_.Wait();
    if (!woken) co_return woken;
  }
  co_return Result<void>{};
}

io::Task<Result<void>> DiskJournal::WriteSnapshot(Keyspace& keyspace, const SnapshotBasis& basis) {
  uint64_t offset = log_->durable_end();
  // The parts of one record stay together.
  if (offset > long_begin_ && offset < long_end_) offset = long_begin_;
  auto writer =
      co_await snapshots_->Begin({.log_id = log_->id(), .offset = offset, .time = clock_.last()});
  if (!writer) co_return Fail(std::move(writer.error()));
  std::string first = EncodeBasis(basis);
  Result<void> written = co_await (*writer)->Add(AsBytes(first));
  if (written) written = co_await WriteItems(keyspace, **writer);
  // What is in it and not in the log would be here and nowhere else after a crash.
  if (written) written = co_await AwaitDurable(end_);
  if (written) written = co_await (*writer)->Commit();
  if (written) log_->SetRetention({.released_before = offset});
  co_return written;
}

io::Task<Result<void>> DiskJournal::WriteItems(Keyspace& keyspace, store::SnapshotWriter& writer) {
  std::vector<std::string> items;
  SnapshotWalk walk;
  while (!walk.done()) {
    items.clear();
    keyspace.Snapshot(&walk, kSnapshotSlice, &items);
    for (const std::string& record : items) {
      ItemsOfRecord parts(AsBytes(record), store::kMaxSnapshotItemBytes);
      while (std::optional<Bytes> item = parts.Next()) {
        Result<void> added = co_await writer.Add(*item);
        if (!added) co_return added;
      }
    }
    Result<void> pause = co_await io::Sleep(Duration::zero());
    if (!pause) co_return pause;
  }
  co_return Result<void>{};
}

}  // namespace meridian::session
