#include "session/disk_journal.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/hybrid_clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "io/disk.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "session/keyspace.hpp"
#include "session/limits.hpp"
#include "store/clock_file.hpp"
#include "store/limits.hpp"
#include "store/log.hpp"
#include "store/record.hpp"
#include "store/snapshot.hpp"
#include "store/snapshot_format.hpp"

namespace meridian::session {
namespace {

// What the first byte of a part says.
constexpr char kLastPart = 0;
constexpr char kMoreParts = 1;

}  // namespace

DiskJournal::DiskJournal(io::Loop& loop, HybridClock& clock)
    : loop_(loop), clock_(clock), background_(loop) {}

DiskJournal::~DiskJournal() = default;

io::Task<Result<std::unique_ptr<DiskJournal>>> DiskJournal::Open(io::Loop& loop, io::Disk& disk,
                                                                 HybridClock& clock,
                                                                 std::string folder) {
  std::unique_ptr<DiskJournal> journal(new DiskJournal(loop, clock));
  Result<void> opened = co_await disk.MakeFolder(folder);
  if (opened) opened = co_await journal->OpenAll(disk, folder);
  if (!opened) {
    co_await journal->Close();
    co_return Fail(std::move(opened.error()));
  }
  co_return journal;
}

io::Task<Result<void>> DiskJournal::OpenAll(io::Disk& disk, const std::string& folder) {
  auto clock_file = co_await store::ClockFile::Open(loop_, disk, clock_, {.folder = folder});
  if (!clock_file) co_return Fail(std::move(clock_file.error()));
  clock_file_ = std::move(*clock_file);
  auto snapshots = co_await store::Snapshots::Open(disk, folder + "/snapshots");
  if (!snapshots) co_return Fail(std::move(snapshots.error()));
  snapshots_ = std::move(*snapshots);
  auto log = co_await store::Log::Open(
      loop_, disk,
      {.folder = folder + "/log",
       .name = "session",
       .id = EntropySeed(),
       .retention = {.released_before = snapshots_->newest() ? snapshots_->newest()->offset : 0}});
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

bool DiskJournal::AppendPart(Bytes part) {
  return log_->Append({.body = part, .time = clock_.last()}).has_value();
}

uint64_t DiskJournal::Append(Bytes record) {
  constexpr size_t kMost = store::kMaxRecordBytes - 1;
  bool is_long = record.size() > kMost;
  if (is_long) long_begin_ = end_;
  do {
    Bytes piece = record.first(std::min(record.size(), kMost));
    record = record.subspan(piece.size());
    part_.assign(1, record.empty() ? kLastPart : kMoreParts);
    part_ += AsText(piece);
    if (!waiting_.empty() || !AppendPart(AsBytes(part_))) {
      if (waiting_.empty()) background_.Spawn(FeedLog());
      waiting_bytes_ += part_.size();
      waiting_.push_back(part_);
    }
    ++end_;
  } while (!record.empty());
  if (is_long) long_end_ = end_;
  return end_;
}

io::Task<void> DiskJournal::FeedLog() {
  while (!waiting_.empty()) {
    if (AppendPart(AsBytes(waiting_.front()))) {
      waiting_bytes_ -= waiting_.front().size();
      waiting_.pop_front();
    } else if (!co_await io::Sleep(kFeedPause)) {
      co_return;
    }
  }
}

io::Task<Result<void>> DiskJournal::AwaitDurable(uint64_t offset) {
  if (offset == 0) co_return Result<void>{};
  for (;;) {
    Result<void> durable = co_await log_->Durable(offset - 1);
    // A full disk may get room again: what was executed is answered then, or not at all.
    if (durable || durable.error().code != Errc::kUnavailable) co_return durable;
    if (!co_await io::Sleep(kFeedPause)) co_return Fail(Errc::kCancelled, "the journal");
  }
}

// --- Replaying -----------------------------------------------------------------------------------

// The stamps are our own, and the clock has started above them.
Result<void> DiskJournal::ReplayPart(Keyspace& keyspace, Bytes part) {
  if (part.empty()) return Fail(Errc::kInvalid, "an empty part of a session record");
  bool last = part[0] == static_cast<uint8_t>(kLastPart);
  if (last && unfinished_.empty()) return keyspace.Apply(part.subspan(1));
  unfinished_ += AsText(part.subspan(1));
  if (!last) return {};
  Result<void> applied = keyspace.Apply(AsBytes(unfinished_));
  unfinished_.clear();
  return applied;
}

io::Task<Result<void>> DiskJournal::ReplaySnapshot(Keyspace& keyspace) {
  auto reader = co_await snapshots_->ReadNewest();
  if (!reader) co_return Fail(std::move(reader.error()));
  for (;;) {
    auto block = co_await (*reader)->NextBlock();
    if (!block) co_return Fail(std::move(block.error()));
    if (!block->has_value()) co_return Result<void>{};
    Result<void> applied;
    Result<void> whole = store::ForEachItem(**block, [&](Bytes item) {
      if (applied) applied = keyspace.Apply(item);
    });
    if (!whole) co_return whole;
    if (!applied) co_return applied;
  }
}

io::Task<Result<void>> DiskJournal::Replay(Keyspace& keyspace) {
  keyspace.SetNow(loop_.Wall());
  uint64_t offset = log_->begin_offset();
  if (snapshots_->newest()) {
    Result<void> loaded = co_await ReplaySnapshot(keyspace);
    if (!loaded) co_return loaded;
    offset = std::max(offset, snapshots_->newest()->offset);
  }
  while (offset < log_->durable_end()) {
    auto batch = co_await log_->Read(offset, store::kMaxReadBytes);
    if (!batch) co_return Fail(std::move(batch.error()));
    Result<void> applied;
    batch->ForEach([&](const store::Record& record) {
      if (applied) applied = ReplayPart(keyspace, record.body);
    });
    if (!applied) co_return applied;
    offset = batch->next_offset();
  }
  // The last record was not whole when the process ended: nobody was told that it is durable.
  unfinished_.clear();
  LOG_INFO("keys are back", {"keys", keyspace.size()}, {"log_records", log_->durable_end()});
  co_return Result<void>{};
}

// --- Snapshots -----------------------------------------------------------------------------------

void DiskJournal::StartSnapshots(Keyspace& keyspace) {
  background_.Spawn(SnapshotRegularly(keyspace));
}

io::Task<void> DiskJournal::SnapshotRegularly(Keyspace& keyspace) {
  while (co_await io::Sleep(kSnapshotCheckPause)) {
    uint64_t enough = std::max<uint64_t>(kSnapshotLogBytes, 2 * keyspace.used_bytes());
    if (log_->bytes() < enough) continue;
    Result<void> written = co_await WriteSnapshot(keyspace);
    if (!written && written.error().code == Errc::kCancelled) co_return;
    if (!written) LOG_WARNING("a snapshot failed", {"problem", written.error().message});
  }
}

io::Task<Result<void>> DiskJournal::WriteSnapshot(Keyspace& keyspace) {
  uint64_t offset = log_->durable_end();
  // The parts of one record stay together.
  if (offset > long_begin_ && offset < long_end_) offset = long_begin_;
  auto writer =
      co_await snapshots_->Begin({.log_id = log_->id(), .offset = offset, .time = clock_.last()});
  if (!writer) co_return Fail(std::move(writer.error()));
  std::vector<std::string> items;
  uint64_t cursor = 0;
  do {
    items.clear();
    cursor = keyspace.Snapshot(cursor, kSnapshotSlice, &items);
    for (const std::string& item : items) {
      Result<void> added = co_await (*writer)->Add(AsBytes(item));
      if (!added) co_return added;
    }
    Result<void> pause = co_await io::Sleep(Duration::zero());
    if (!pause) co_return pause;
  } while (cursor != 0);
  Result<void> committed = co_await (*writer)->Commit();
  if (committed) log_->SetRetention({.released_before = offset});
  co_return committed;
}

}  // namespace meridian::session
