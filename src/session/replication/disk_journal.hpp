// DiskJournal: keeps the changes of the keyspace in a store::Journal, and recovers the keyspace
// from it.
//
// A change that is longer than one log record is split into several (log_record.hpp). Offsets are
// the log's.
//
// Owned by the Session; one thread: the loop's. Close before it goes; the keyspace outlives Close.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/hybrid_clock.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "session/data/keyspace.hpp"
#include "session/replication/change_journal.hpp"
#include "session/replication/log_record.hpp"
#include "session/replication/snapshot_item.hpp"
#include "session/replication/snapshot_metadata.hpp"
#include "store/clock_file.hpp"
#include "store/journal.hpp"
#include "store/log/log.hpp"
#include "store/log/record.hpp"
#include "store/snapshot/snapshot.hpp"

namespace meridian::session {

class DiskJournal final : public ChangeJournal, private store::JournaledState {
 public:
  // Opens the log that is there, and starts the clock.
  static io::Task<Result<std::unique_ptr<DiskJournal>>> Open(io::Loop& loop, io::Disk& disk,
                                                             HybridClock& clock,
                                                             store::JournalOptions options);

  // Recovers the keyspace, which is empty, from this log and its snapshots; the metadata of the
  // snapshot. kIo: a part cannot be read.
  io::Task<Result<SnapshotMetadata>> Replay(Keyspace& keyspace);
  // Called around each snapshot: `begin` returns its metadata; `end` gets them back when the
  // snapshot is written, else null.
  struct Snapshotting {
    std::function<SnapshotMetadata()> begin;
    std::function<void(const SnapshotMetadata* written)> end;
  };
  // Keeps the log short by snapshots of the keyspace. After Replay.
  void StartSnapshots(Snapshotting around);
  // See store::Journal.
  io::Task<Result<void>> WriteSnapshotNow() { return journal_->WriteSnapshotNow(); }
  io::Task<void> Close() { return journal_->Close(); }

  bool wants_changes() const override { return true; }
  std::string refusal() const override;
  // Why the last attempt to write a snapshot failed. Empty: it did not.
  const std::string& snapshot_problem() const { return journal_->snapshot_problem(); }
  uint64_t Append(Bytes record) override;
  // Appends a heartbeat (matrix_clock.hpp); the end offset behind it.
  uint64_t AppendHeartbeat(std::string_view heartbeat);
  uint64_t durable_end_offset() const override { return journal_->durable_end_offset(); }
  io::Task<Result<void>> AwaitDurable(uint64_t offset) override {
    return journal_->AwaitDurable(offset);
  }

  store::Log& log() { return journal_->log(); }
  store::Snapshots& snapshots() { return journal_->snapshots(); }
  store::ClockFile& clock_file() { return journal_->clock_file(); }

 private:
  DiskJournal(io::Loop& loop, HybridClock& clock) : loop_(loop), clock_(clock) {}
  uint64_t AppendLogRecord(LogRecordKind kind, Bytes body);

  // store::JournaledState
  void BeginLoading() override {}
  Result<void> LoadItem(Bytes item) override;
  void EndLoading() override;
  Result<void> Apply(const store::Record& record) override;
  bool at_boundary() const override { return !log_records_.within_change(); }
  uint64_t memory_bytes() const override { return keyspace_->used_bytes(); }
  uint64_t BeginSnapshot(uint64_t durable_end_offset) override;
  io::Task<Result<void>> WriteItems(store::SnapshotWriter& writer) override;
  void EndSnapshot(bool written) override;

  io::Loop& loop_;
  HybridClock& clock_;
  std::unique_ptr<store::Journal> journal_;
  Keyspace* keyspace_ = nullptr;  // since Replay
  SnapshotMetadata metadata_;     // of the snapshot that is read or written
  SnapshotItemReader items_;
  LogRecordReader log_records_;
  Snapshotting around_;
  uint64_t long_begin_ = 0;  // of the last change in several parts
  uint64_t long_end_ = 0;
  std::string log_record_;  // that is being written
};

}  // namespace meridian::session
