// Log: a durable sequence of records in a folder of its own: segment files, group commit, recovery.
//
//   auto log = co_await Log::Open(loop, disk, {.folder = "state/session/log", .id = random});
//   Result<uint64_t> end = (*log)->Append({.body = mutation, .time = stamp});
//   if (co_await (*log)->Durable(*end)) Acknowledge();
//
// Offsets count up from 0; an offset that was durable is never given to another record. All fibers
// that wait for durability while the disk is busy are served by the next write and sync, one of
// each for the whole group. Only durable records can be read: a reader never sees what a crash
// undoes.
//
// A failed sync, or a write that fails for another reason than a full disk, ends the process
// (LogOptions::on_disk_failure): the process that has written a file cannot know what is in it then
// (Rebello et al. 2020). The next process reads what is there, and syncs it.
//
// Owned by a Journal, a Replica or a tier's main; one thread, the loop's. Close before it goes,
// when no fiber waits any more. Invariants: begin_offset() <= durable_end_offset() <= end_offset();
// offsets of records ascend; a record below durable_end_offset() is on disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "store/disk_failure.hpp"
#include "store/free_space.hpp"
#include "store/limits.hpp"
#include "store/log/log_files.hpp"
#include "store/log/record.hpp"
#include "store/log/retention.hpp"

namespace meridian::store {

struct LogOptions {
  std::string folder;  // made when it is not there; its parent must be
  std::string name;    // in log lines and errors; the folder when empty
  // For a new log: random. Two logs with one id hold the same records.
  uint64_t id = 0;
  uint64_t begin_offset = 0;  // likewise
  uint64_t segment_bytes = kSegmentBytes;
  uint64_t headroom_bytes = kHeadroomBytes;
  RetentionPolicy retention = {};
  OnDiskFailure on_disk_failure = EndProcessOnDiskFailure;
};

// What a log has written since it was opened: each group with one write and one sync.
struct GroupCounts {
  uint64_t groups = 0;
  uint64_t bytes = 0;
};

struct NewRecord {
  Bytes body;
  HybridTime time;
  uint32_t span = 1;
};

class Log {
 public:
  // Reads all segments, cuts off an invalid tail, syncs the rest, and reports damage (recovery()).
  // Errors: those of Disk; kInvalid: the folder holds other files.
  static io::Task<Result<std::unique_ptr<Log>>> Open(io::Loop& loop, io::Disk& disk,
                                                     LogOptions options);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  // Makes durable what was appended, then ends the log's fibers; at once, if the caller was
  // cancelled.
  io::Task<void> Close();

  const std::string& name() const { return options_.name; }
  uint64_t id() const { return files_.id(); }
  uint64_t begin_offset() const { return files_.begin_offset(); }  // of the oldest record kept
  uint64_t end_offset() const { return end_; }                     // of the next record
  uint64_t durable_end_offset() const { return files_.end_offset(); }
  // Of the newest durable record; zero when there is none.
  HybridTime durable_time() const { return files_.newest_time(); }
  uint64_t bytes() const { return files_.bytes(); }
  const GroupCounts& written() const { return written_; }
  const RecoveryReport& recovery() const { return files_.recovery(); }

  // The epoch of records appended from now on; at a start, that of the newest record. Lowering it
  // is a bug.
  uint32_t epoch() const { return epoch_; }
  void RaiseEpoch(uint32_t epoch);
  // The epoch of the newest record; zero when there is none.
  uint32_t newest_epoch() const { return newest_epoch_; }

  // Adds the record to the next group, copying it once; the end offset of all records so far.
  // kTooLarge: a record's limits; kUnavailable: too much is waiting for the disk, or the disk is
  // almost full; kClosed.
  [[nodiscard]] Result<uint64_t> Append(const NewRecord& record);
  // The same for a record of the log that this is a copy of: it keeps offset, time and epoch.
  // kInvalid: it is not the next one, or of an older epoch.
  [[nodiscard]] Result<void> AppendCopy(const Record& record);
  // Whether an append would be refused now, and why.
  Result<void> Writable() const;

  // Waits until all below `end_offset` is on disk. kTimeout, kCancelled; kUnavailable: the disk is
  // full, and whether the records will be there is not known yet. Records that nobody appended yet
  // are waited for.
  io::Task<Result<void>> Durable(uint64_t end_offset, TimePoint deadline = kNever);

  // Whole durable records from the one that holds `from`: about `max_bytes` (at most
  // kMaxReadBytes), at least one record; empty at the end. kNotFound: `from` is below
  // begin_offset(); kIo: it is in a damaged range (see RecoveryReport), or what is read now is
  // damaged.
  io::Task<Result<RecordBatch>> Read(uint64_t from, size_t max_bytes);
  // `offset`, or the end of the damaged range that it is in.
  uint64_t NextReadable(uint64_t offset) const { return files_.NextReadable(offset); }
  // The first offset of a record of `time` or later; durable_end_offset() when there is none.
  io::Task<Result<uint64_t>> OffsetAt(HybridTime time);

  // What retention may do; applied within kUpkeepInterval.
  void SetRetention(const RetentionPolicy& policy) { options_.retention = policy; }
  const RetentionPolicy& retention() const { return options_.retention; }
  // Applies it now.
  io::Task<Result<void>> ApplyRetention();

  // Drops all records and continues at `offset`, as a log with that id: a snapshot replaces the
  // records before. Waits for writes that are under way; nothing may be appended meanwhile.
  // kInvalid: the log is longer already; otherwise as Durable.
  io::Task<Result<void>> StartOver(uint64_t offset, uint64_t id);

 private:
  Log(io::Loop& loop, io::Disk& disk, LogOptions options);
  Result<void> TakeRoom(size_t body_bytes, uint32_t span) const;
  void AppendToGroup(Record record);
  io::Task<void> WriteGroups();
  io::Task<bool> WriteGroup();
  io::Task<Result<void>> TryGroup();
  void FinishGroup();
  void FailWith(const Error& error);
  io::Task<void> Upkeep();
  void GiveMemoryBack();
  io::Task<void> LookForRoom();

  io::Loop& loop_;
  LogOptions options_;
  LogFiles files_;
  // The group that is being filled, and the one that is being written.
  struct Group {
    std::vector<uint8_t> encoded;
    std::vector<IndexedRecord> records;
    uint64_t begin = 0;
    uint32_t epoch = 0;
    io::WaitQueue waiting;
  };
  Group groups_[2];
  Group* filling_ = &groups_[0];
  Group* writing_ = &groups_[1];
  GroupCounts written_;
  uint64_t end_ = 0;
  uint32_t epoch_ = 0;
  uint32_t newest_epoch_ = 0;
  std::string full_;  // why a write found no room; empty: the last one did
  FreeSpace space_;   // with the headroom as its reserve
  bool low_ = false;  // at the last reading, for the log
  bool closing_ = false;
  bool failed_ = false;
  io::WaitQueue group_begun_;
  io::Scope writer_;
  io::Scope upkeep_;
};

}  // namespace meridian::store
