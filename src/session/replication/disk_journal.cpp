#include "session/replication/disk_journal.hpp"

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
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "session/data/keyspace.hpp"
#include "session/data/snapshot_walk.hpp"
#include "session/limits.hpp"
#include "session/replication/log_record.hpp"
#include "session/replication/snapshot_item.hpp"
#include "session/replication/snapshot_metadata.hpp"
#include "store/journal.hpp"
#include "store/limits.hpp"
#include "store/log/record.hpp"
#include "store/snapshot/snapshot.hpp"

namespace meridian::session {

io::Task<Result<std::unique_ptr<DiskJournal>>> DiskJournal::Open(io::Loop& loop, io::Disk& disk,
                                                                 HybridClock& clock,
                                                                 store::JournalOptions options) {
  options.name = kLogName;
  std::unique_ptr<DiskJournal> journal(new DiskJournal(loop, clock));
  auto opened = co_await store::Journal::Open(loop, disk, clock, std::move(options));
  if (!opened) co_return Fail(std::move(opened.error()));
  journal->journal_ = std::move(*opened);
  co_return journal;
}

// --- Appending -----------------------------------------------------------------------------------

std::string DiskJournal::refusal() const {
  Result<void> writable = journal_->Writable();
  return writable ? "" : writable.error().message;
}

uint64_t DiskJournal::AppendLogRecord(LogRecordKind kind, Bytes body) {
  log_record_.assign(1, static_cast<char>(kind));
  log_record_ += AsText(body);
  return journal_->Append({.body = AsBytes(log_record_), .time = clock_.last()});
}

uint64_t DiskJournal::Append(Bytes record) {
  constexpr size_t kMax = store::kMaxRecordBytes - 1;
  bool is_long = record.size() > kMax;
  // Several long changes that are not durable yet count as one.
  if (is_long && durable_end_offset() >= long_end_) long_begin_ = journal_->end_offset();
  for (; record.size() > kMax; record = record.subspan(kMax)) {
    AppendLogRecord(LogRecordKind::kMoreParts, record.first(kMax));
  }
  uint64_t end = AppendLogRecord(LogRecordKind::kChange, record);
  if (is_long) long_end_ = end;
  return end;
}

uint64_t DiskJournal::AppendHeartbeat(std::string_view heartbeat) {
  return AppendLogRecord(LogRecordKind::kHeartbeat, AsBytes(heartbeat));
}

// --- Replaying -----------------------------------------------------------------------------------

Result<void> DiskJournal::LoadItem(Bytes item) {
  if (!IsSnapshotMetadata(item)) return ApplySnapshotItem(items_, item, *keyspace_);
  Result<SnapshotMetadata> metadata = DecodeSnapshotMetadata(item);
  if (!metadata) return Fail(std::move(metadata.error()));
  metadata_ = std::move(*metadata);
  return {};
}

void DiskJournal::EndLoading() {
  if (metadata_.stability_horizon > keyspace_->stability_horizon())
    keyspace_->set_stability_horizon(metadata_.stability_horizon);
}

// The stamps are this data center's, and the clock has started above them.
Result<void> DiskJournal::Apply(const store::Record& record) {
  Result<LogRecordReader::Taken> taken = log_records_.Take(record.body);
  if (!taken) return Fail(std::move(taken.error()));
  if (taken->found != LogRecordReader::Found::kChange) return {};
  return keyspace_->Apply(taken->bytes);
}

io::Task<Result<SnapshotMetadata>> DiskJournal::Replay(Keyspace& keyspace) {
  keyspace_ = &keyspace;
  metadata_ = {};
  keyspace.SetNow(loop_.Wall());
  Result<void> recovered = co_await journal_->Recover(*this);
  if (!recovered) co_return Fail(std::move(recovered.error()));
  // The last process ended within a change. It was not acknowledged, and the records behind its
  // parts must not be taken for the rest of it, here or in other data centers.
  if (log_records_.within_change()) AppendLogRecord(LogRecordKind::kAbandoned, {});
  log_records_.Reset();
  LOG_INFO("keys recovered", {"keys", keyspace.size()}, {"log_records", durable_end_offset()});
  co_return metadata_;
}

// --- Snapshots -----------------------------------------------------------------------------------

void DiskJournal::StartSnapshots(Snapshotting around) {
  around_ = std::move(around);
  journal_->StartSnapshots(*this);
}

uint64_t DiskJournal::BeginSnapshot(uint64_t durable_end_offset) {
  metadata_ = around_.begin();
  // The parts of one change stay together.
  return durable_end_offset > long_begin_ && durable_end_offset < long_end_ ? long_begin_
                                                                            : durable_end_offset;
}

void DiskJournal::EndSnapshot(bool written) { around_.end(written ? &metadata_ : nullptr); }

io::Task<Result<void>> DiskJournal::WriteItems(store::SnapshotWriter& writer) {
  std::string first = EncodeSnapshotMetadata(metadata_);
  if (Result<void> added = co_await writer.Add(AsBytes(first)); !added) co_return added;
  std::vector<std::string> items;
  SnapshotWalk walk;
  while (!walk.done()) {
    items.clear();
    keyspace_->Snapshot(&walk, kSnapshotSlice, &items);
    for (const std::string& record : items) {
      ItemsOfChange parts(AsBytes(record), store::kMaxSnapshotItemBytes);
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
