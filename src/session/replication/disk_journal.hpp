// DiskJournal: the journal on disk: records in a durable log (store/log/log.hpp), snapshots that
// stand for its oldest part, and the bound of the clock. Opening it brings back what was there.
//
// A record that is longer than one of the log's takes several; what the log has no room for at the
// moment waits here, in order. Offsets are the log's.
//
// Owned by the Session; one thread: the loop's. Close before it goes. Invariant: end_ is the log's
// end and what waits here together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/hybrid_clock.hpp"
#include "io/file/disk.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/wait_queue.hpp"
#include "session/data/keyspace.hpp"
#include "session/limits.hpp"
#include "session/replication/basis.hpp"
#include "session/replication/journal.hpp"
#include "session/replication/log_entry.hpp"
#include "store/disk_failure.hpp"
#include "store/limits.hpp"
#include "store/log/log.hpp"
#include "store/mirror/clock_file.hpp"
#include "store/snapshot/snapshot.hpp"

namespace meridian::session {

class DiskJournal final : public Journal {
 public:
  struct Options {
    std::string folder;   // made when it is not there, as its parent must be
    uint64_t log_id = 0;  // of a log that is made new; random
    uint64_t segment_bytes = store::kSegmentBytes;
    uint64_t headroom_bytes = store::kHeadroomBytes;
    // A snapshot is written when the log has so many bytes, and so many times those of the keys.
    uint64_t snapshot_log_bytes = kSnapshotLogBytes;
    uint64_t snapshot_memory_factor = kSnapshotMemoryFactor;
    store::OnDiskFailure on_disk_failure = store::EndProcessOnDiskFailure;
  };
  // Opens what is there, and sets the clock.
  static io::Task<Result<std::unique_ptr<DiskJournal>>> Open(io::Loop& loop, io::Disk& disk,
                                                             HybridClock& clock, Options options);
  ~DiskJournal() override;

  // Brings the keyspace, which is empty, to where it was, as far as this log and its snapshots go;
  // what they stand for beside that. kIo: a part cannot be read.
  io::Task<Result<SnapshotBasis>> Replay(Keyspace& keyspace);
  // Keeps the log short by snapshots of the keyspace, which must outlive the journal's Close.
  // `begin` says what each will stand for, `end` is told of it when it was written, else of null.
  struct Snapshotting {
    std::function<SnapshotBasis()> begin;
    std::function<void(const SnapshotBasis* written)> end;
  };
  void StartSnapshots(Keyspace& keyspace, Snapshotting around);
  // One of what is there now, also where the log is short yet; waits until it is written, for as
  // long as the disk has no room for it. After StartSnapshots. kCancelled.
  io::Task<Result<void>> WriteSnapshotNow();
  // Makes durable what was appended, and ends the journal's fibers.
  io::Task<void> Close();

  bool wants_records() const override { return true; }
  std::string refusal() const override;
  uint64_t Append(Bytes record) override;
  // Takes a beat in; see Knowledge. The offset behind it.
  uint64_t AppendBeat(std::string_view beat);
  uint64_t durable() const override { return log_->durable_end(); }
  io::Task<Result<void>> AwaitDurable(uint64_t offset) override;

  store::Log& log() { return *log_; }
  store::Snapshots& snapshots() { return *snapshots_; }
  store::ClockFile* clock_file() { return clock_file_.get(); }

 private:
  // An entry that the log had no room for, and what time it was then.
  struct Waiting {
    std::string entry;
    HybridTime time;
  };

  DiskJournal(io::Loop& loop, HybridClock& clock, Options options);
  io::Task<Result<void>> OpenAll(io::Disk& disk);
  io::Task<Result<SnapshotBasis>> ReplaySnapshot(Keyspace& keyspace);
  io::Task<Result<void>> ReplayLog(Keyspace& keyspace, uint64_t offset);
  void AppendEntry(EntryKind kind, Bytes body);
  bool TryAppend(std::string_view entry, HybridTime time);
  io::Task<void> FeedLog();
  io::Task<void> SnapshotRegularly(Keyspace& keyspace, Snapshotting around);
  io::Task<Result<void>> WriteSnapshot(Keyspace& keyspace, const SnapshotBasis& basis);
  io::Task<Result<void>> WriteItems(Keyspace& keyspace, store::SnapshotWriter& writer);

  io::Loop& loop_;
  HybridClock& clock_;
  Options options_;
  std::unique_ptr<store::ClockFile> clock_file_;
  std::unique_ptr<store::Snapshots> snapshots_;
  std::unique_ptr<store::Log> log_;
  std::deque<Waiting> waiting_;
  size_t waiting_bytes_ = 0;
  uint64_t end_ = 0;
  uint64_t long_begin_ = 0;  // of the last record that took several parts
  uint64_t long_end_ = 0;
  std::string entry_;  // that is being made
  // Snapshots that were asked for; how many of those are written.
  uint64_t asked_ = 0;
  uint64_t written_ = 0;
  io::WaitQueue asking_;
  io::WaitQueue writing_;
  io::Scope background_;
};

}  // namespace meridian::session
