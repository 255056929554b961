// Journal: makes the changes of a state durable, and brings the state back at the next start. It
// keeps a log of records, snapshots that keep the log short, and on disk a bound of the clock, so
// that stamps increase across restarts (ClockFile).
//
//   auto journal = co_await Journal::Open(loop, disk, clock, {.folder = "state/session", ...});
//   co_await (*journal)->Recover(state);          // the newest snapshot, then the log above it
//   (*journal)->StartSnapshots(state);
//   uint64_t end = (*journal)->Append({.body = change, .time = stamp});
//   if (co_await (*journal)->AwaitDurable(end)) Acknowledge();
//
// Append never fails. Records that the log has no room for at the moment (its disk is full, or
// slow) wait in memory, in order; the owner calls Writable before it begins a change.
//
// Offsets count records, not bytes: a record takes NewRecord::span offsets, usually one.
//
// Owned by the owner of the state; one thread: the loop's. Await Close before destroying it; the
// state must outlive Close. Invariant: end_offset() is the log's end plus the spans of the records
// that wait in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "store/applier.hpp"
#include "store/clock_file.hpp"
#include "store/disk_failure.hpp"
#include "store/limits.hpp"
#include "store/log/log.hpp"
#include "store/snapshot/snapshot.hpp"

namespace meridian::store {

// A state that writes snapshots of itself.
class JournaledState : public Applier {
 public:
  // About how much memory it takes: a large state gets snapshots less often.
  virtual uint64_t memory_bytes() const = 0;
  // A snapshot begins. All records below `durable_end_offset` are durable. Returns the end offset
  // of the records that the snapshot covers: `durable_end_offset`, or less where that would split a
  // change of several records.
  virtual uint64_t BeginSnapshot(uint64_t durable_end_offset) = 0;
  // Adds all items. May let other fibers run between two items.
  virtual io::Task<Result<void>> WriteItems(SnapshotWriter& writer) = 0;
  // The snapshot that was begun is on disk (`written`), or has failed.
  virtual void EndSnapshot(bool written) = 0;
};

struct JournalOptions {
  std::string folder;   // made if it does not exist; its parent folder must exist
  std::string name;     // of the log, in log lines and errors
  uint64_t log_id = 0;  // the id of the log if it is made now; choose it at random
  uint64_t segment_bytes = kSegmentBytes;
  uint64_t headroom_bytes = kHeadroomBytes;
  // A snapshot is due when the log has at least snapshot_log_bytes, and at least
  // snapshot_memory_factor times the memory_bytes() of the state.
  uint64_t snapshot_log_bytes = kSnapshotLogBytes;
  uint64_t snapshot_memory_factor = kSnapshotMemoryFactor;
  OnDiskFailure on_disk_failure = EndProcessOnDiskFailure;
};

class Journal {
 public:
  // Opens the files in the folder, or makes them, and starts the clock above every stamp that it
  // gave before. Errors: those of ClockFile, Snapshots and Log.
  static io::Task<Result<std::unique_ptr<Journal>>> Open(io::Loop& loop, io::Disk& disk,
                                                         HybridClock& clock,
                                                         JournalOptions options);
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Loads the newest snapshot and then the log above it into `state`, which must be empty. kIo: a
  // part cannot be read or is damaged; kInvalid: the state did not accept a part.
  io::Task<Result<void>> Recover(Applier& state);
  // Writes a snapshot of the state from now on, whenever one is due.
  void StartSnapshots(JournaledState& state);
  // Writes a snapshot now, and waits until it is on disk. After a failure of any kind it is tried
  // again at intervals, without limit. Without StartSnapshots it waits for ever. kCancelled.
  io::Task<Result<void>> WriteSnapshotNow();
  // Appends the records that wait in memory to the log, without a time limit while the disk is
  // full, makes the log durable, and ends the journal's fibers. If the caller is cancelled, the
  // records that wait in memory are lost. No AwaitDurable and no WriteSnapshotNow may be pending.
  io::Task<void> Close();

  // kUnavailable: the disk is full, or too much waits for it; kIo: the disk has failed; kClosed:
  // Close was called. The message says why.
  Result<void> Writable() const;
  // Appends a record of at most kMaxRecordBytes (CHECK); returns the end offset of all records so
  // far. The order of calls is the order of records. No allocation while the log has room.
  uint64_t Append(const NewRecord& record);
  // Waits until all records below `end_offset` are durable. One sync serves all that wait.
  // kUnavailable: the disk was full for kFullDiskTimeout, and they may become durable later; kIo:
  // the disk has failed; kCancelled.
  io::Task<Result<void>> AwaitDurable(uint64_t end_offset);

  // Why the last attempt to write a snapshot failed. Empty: it did not.
  const std::string& snapshot_problem() const { return snapshot_problem_; }

  uint64_t end_offset() const { return end_; }
  uint64_t durable_end_offset() const { return log_->durable_end_offset(); }
  Log& log() { return *log_; }
  Snapshots& snapshots() { return *snapshots_; }
  ClockFile& clock_file() { return *clock_file_; }

 private:
  // A record that the log had no room for.
  struct Waiting {
    std::vector<uint8_t> body;
    HybridTime time;
    uint32_t span = 1;
  };

  Journal(io::Loop& loop, HybridClock& clock, JournalOptions options);
  io::Task<Result<void>> OpenAll(io::Disk& disk);
  io::Task<void> FeedLog();
  io::Task<void> SnapshotRegularly(JournaledState& state);
  io::Task<uint32_t> EpochBefore(uint64_t end_offset);
  io::Task<Result<void>> WriteSnapshot(JournaledState& state, uint64_t end_offset);

  io::Loop& loop_;
  HybridClock& clock_;
  JournalOptions options_;
  std::unique_ptr<ClockFile> clock_file_;
  std::unique_ptr<Snapshots> snapshots_;
  std::unique_ptr<Log> log_;
  std::deque<Waiting> waiting_;
  size_t waiting_bytes_ = 0;
  uint64_t end_ = 0;
  // The number of requests for a snapshot so far, and the number of them that are fulfilled.
  uint64_t requested_ = 0;
  uint64_t fulfilled_ = 0;
  io::WaitQueue request_;
  io::WaitQueue fulfilment_;
  std::string snapshot_problem_;
  io::Scope background_;
};

}  // namespace meridian::store
