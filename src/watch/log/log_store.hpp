// LogStore: keeps the entries of a data center's logs on disk, within a quota, and searches them.
// Owned by a tier's main; all functions are for the loop's thread. Files are written and searched
// on the pool, so that a slow disk delays neither the loop nor what feeds the store.
//
//   auto store = co_await LogStore::Open(options, loop, pool, files);
//   scope.Spawn((*store)->Run());                   // writes; on cancellation it closes the store
//   (*store)->Add(entry);                           // or a LogSource for each pipe
//   Result<LogPage> page = co_await (*store)->Search(query, deadline);
//
// PROMISE. An entry that was added can be found at once. It survives the end of this process,
// however it ends, after kFlushInterval and the time that the disk takes, and a loss of power after
// kSyncInterval. Until then it may be lost: the last lines, from some line on. What is dropped is
// counted, and an entry says so: because its source passed its quota (LogSource), or the disk is
// too slow or has failed.
//
// QUOTA. All files together stay within max_bytes: the oldest segments are removed first. Past it
// by one block, and while a segment is closed by its word index, at most. A full disk counts as a
// quota.
//
// Damaged files are set aside or left out; every search that they concern says so
// (LogPage::problems).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/recurring_problem.hpp"
#include "base/result.hpp"
#include "io/blocking.hpp"
#include "io/file/file_lock.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/limits.hpp"
#include "watch/log/search/log_search.hpp"
#include "watch/log/segment/block.hpp"
#include "watch/log/segment/log_files.hpp"
#include "watch/log/segment/log_folder.hpp"
#include "watch/log/segment/segment_writer.hpp"

namespace meridian::watch {

struct LogStoreOptions {
  std::string folder;  // exists, and no other process may read it
  uint64_t max_bytes = uint64_t{4} * 1024 * 1024 * 1024;
  // Left free on the disk for others.
  uint64_t reserve_bytes = uint64_t{256} * 1024 * 1024;
  uint64_t segment_bytes = kSegmentBytes;  // before compression
  Duration max_segment_age = kMaxSegmentAge;
  // Of a store that is made anew. Others who know sequences of the one before see by a number of
  // its own that they are none of this one.
  uint32_t first_segment = 1;
};

struct LogStoreStatus {
  uint64_t entries = 0;           // added since the start
  uint64_t refused = 0;           // of further ones: the disk was too slow
  uint64_t lost = 0;              // entries that were added, and that the disk did not take or sync
  uint64_t removed_segments = 0;  // by the quota
  uint64_t removed_for_room = 0;  // because the disk was full, or the reserve was touched
  uint64_t bytes = 0;             // of all files
  uint64_t waiting_bytes = 0;     // of full blocks that are not in a file yet
  size_t segments = 0;            // closed ones
  uint32_t recovered_lines = 0;   // by this start, of segments that were open
  std::string problem;            // of the disk, at present; empty: none
};

class LogStore {
 public:
  // Recovers what is in the folder; the time depends on the segment that was open, 2 s at most for
  // one of kSegmentBytes. kExists: another process has it. kUnavailable: the disk is full, and
  // nothing is left to remove. `files`, `pool` and `loop` outlive the store.
  static io::Task<Result<std::unique_ptr<LogStore>>> Open(LogStoreOptions options, io::Loop& loop,
                                                          io::BlockingPool& pool, LogFiles& files);
  LogStore(LogStoreOptions options, io::Loop& loop, io::BlockingPool& pool, LogFiles& files);
  LogStore(const LogStore&) = delete;
  LogStore& operator=(const LogStore&) = delete;

  // Takes the entry, without waiting, and gives it its sequence. False: too many wait for the disk;
  // the caller counts it. Its texts are printable (AppendPrintable).
  [[nodiscard]] bool Add(LogEntry entry);
  // Writes what is added, until its fiber is cancelled; then writes the rest, and closes the
  // segment.
  io::Task<void> Run();

  // The first page of the query. At `deadline`, or after kMaxSearchTime, what was found until then
  // (LogPage::timed_out). kUnavailable: kMaxSearches run already. kCancelled.
  io::Task<Result<LogPage>> Search(LogQuery query, TimePoint deadline);
  // Waits until there is an entry with `sequence` or a higher one: for a follower, with the
  // end_sequence of its last page. kTimeout, kCancelled.
  io::Task<Result<void>> AwaitEntry(uint64_t sequence, TimePoint deadline);

  // Above the sequences of all entries.
  uint64_t end_sequence() const;
  // Entries of earlier processes below this sequence survived their ends; those from it on, and
  // below first_sequence(), are lost.
  uint64_t kept_sequence() const { return kept_end_; }
  // Of the entries that this process adds.
  uint64_t first_sequence() const { return begin_; }
  // Entries below it were removed, or never were in these files; all from it on are here.
  uint64_t removed_sequence() const { return removed_end_; }
  // The first sequence of the newest entries whose files have about so many bytes; 0: of all.
  uint64_t SequenceOfNewest(uint64_t bytes) const;
  // Entries below it survive a loss of power, or are counted as lost. At the end of Run: all.
  uint64_t synced_sequence() const { return synced_end_; }
  // False: the disk is slow, full or fails; who can wait with an entry should. It becomes true by
  // itself when the disk can be written again.
  bool has_room() const { return waiting_bytes_ < kMaxWaitingBytes / 2 && !problem_.lasts(); }
  LogStoreStatus status() const;

 private:
  // A segment that is written to, or waits to be closed. What is here is what is in its file.
  struct OpenSegment {
    std::unique_ptr<SegmentWriter> writer;
    std::vector<std::shared_ptr<const StoredBlock>> blocks;
    uint64_t bytes = 0;
  };

  io::Task<Result<void>> Recover();
  io::Task<void> WriteWaiting();
  io::Task<Result<void>> WriteBlock(std::shared_ptr<const RawBlock> block);
  io::Task<Result<void>> OpenWriter(uint32_t number);
  io::Task<void> LeaveToBeClosed();
  io::Task<void> CloseSegments();
  io::Task<Result<void>> CloseSegment(OpenSegment& segment);
  io::Task<void> FlushPending();
  io::Task<void> SyncIfDue();
  io::Task<void> KeepQuota();
  io::Task<bool> RemoveOldest();
  io::Task<bool> MakeRoom(Error error);
  void SealPending();
  void BeginSegment();
  void LeaveUnsynced(const Error& error);
  void NoteUnsynced(const OpenSegment& open, const Error& error);
  void NoteLoss(uint64_t lines, const Error& error);
  void OnDisk(const Result<void>& result);
  uint64_t Bytes() const;
  LogView View() const;

  LogStoreOptions options_;
  io::Loop& loop_;
  io::BlockingPool& pool_;
  LogFiles& files_;
  std::optional<io::FileLock> lock_;

  std::deque<std::shared_ptr<const Segment>> segments_;
  std::deque<DamagedFile> damaged_;
  std::vector<std::string> problems_;
  // Run's fiber writes to `open_`; another one, which Run has, closes those of `closing_`.
  std::unique_ptr<OpenSegment> open_;
  std::deque<std::unique_ptr<OpenSegment>> closing_;
  std::deque<std::shared_ptr<const RawBlock>> waiting_;  // full blocks, to be written
  size_t waiting_bytes_ = 0;
  // The block that is filled, and where it will be.
  BlockBuilder pending_;
  uint32_t segment_ = 0;
  uint32_t first_line_ = 0;
  uint64_t segment_raw_bytes_ = 0;
  TimePoint segment_began_;
  size_t flushed_rows_ = 0;  // of pending_, those that are in the tail

  io::WaitQueue work_;      // the fiber that writes
  io::WaitQueue closable_;  // the fiber that closes
  io::WaitQueue closed_;    // the fiber that writes, until there is room in closing_
  io::WaitQueue arrivals_;  // followers
  TimePoint flushed_;
  TimePoint synced_;
  bool unsynced_ = false;
  uint64_t kept_end_ = 0;
  uint64_t begin_ = 0;
  uint64_t removed_end_ = 0;
  uint64_t written_end_ = 0;  // entries below it are in files, or lost
  uint64_t synced_end_ = 0;
  size_t searches_ = 0;
  uint64_t unreported_loss_ = 0;
  RecurringProblem problem_;
  LogStoreStatus status_;
};

}  // namespace meridian::watch
