// SegmentFiles: the open files and the indexes of all partitions on a loop. At most `max_open`
// segments stay open, those used last. Beside them stay those open that are not synced yet, or
// whose file a reader has, up to `max_files` in all. Shortly before that nothing is opened for
// reading, and who writes syncs some first (HasRoomFor). Thousands of partitions that nobody uses
// have no descriptor and no index in memory.
//
// Owned by the engine; one thread: the loop's. It outlives the logs. An index is only used between
// two awaits: an await may close the segment.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>

#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "queue/partition/heavy_work.hpp"
#include "queue/partition/limits.hpp"
#include "queue/partition/segment.hpp"

namespace meridian::queue {

struct SegmentFilesOptions {
  size_t max_open = kMaxOpenSegments;
  size_t max_files = kMaxSegmentFiles;
  // For work on whole batches; null: it is done on the loop.
  io::BlockingPool* heavy_pool = nullptr;
};

class SegmentFiles {
 public:
  explicit SegmentFiles(io::Disk& disk, SegmentFilesOptions options = {})
      : disk_(disk),
        heavy_work_(options.heavy_pool),
        max_open_(std::min(options.max_open, options.max_files / 2)),
        max_files_(options.max_files) {}

  io::Disk& disk() { return disk_; }
  HeavyWork& heavy_work() { return heavy_work_; }

  // The segment's file, opened where it is not. kIo: it is missing; kUnavailable: too many files
  // are open, and the segment is not one that is written to.
  io::Task<Result<std::shared_ptr<io::File>>> Open(std::shared_ptr<Segment> segment);
  // Creates the segment's file, empty.
  io::Task<Result<void>> Create(std::shared_ptr<Segment> segment);
  // As Open, and the index covers all of what is written: the part that is not in memory is read
  // from the index file, and what that lacks from the segment.
  io::Task<Result<std::shared_ptr<io::File>>> OpenIndexed(std::shared_ptr<Segment> segment);
  // Writes the entries that the index file lacks; unsynced, since a start does without them. Needs
  // a complete index.
  io::Task<Result<void>> FlushIndex(std::shared_ptr<Segment> segment);
  // Builds the index anew from the segment: an entry was wrong.
  io::Task<Result<std::shared_ptr<io::File>>> Reindex(std::shared_ptr<Segment> segment);
  // Closes it. Readers that have its file keep it.
  void Close(Segment& segment);
  // It is about to be written to: it stays open until it is synced.
  void MarkUnsynced(Segment& segment);

  // A read has found damage: wakes who waits to check the segment.
  void NoteSuspect(Segment& segment);
  // Waits until NoteSuspect is called. kCancelled.
  io::Task<Result<void>> AwaitSuspect();
  // Forgets the index, and removes its file: the segment's bytes have changed.
  io::Task<Result<void>> DropIndex(std::shared_ptr<Segment> segment);

  // Whether so many files more may be opened for writing, and reading may go on.
  bool HasRoomFor(size_t files) const { return open() + files <= max_read_files(); }
  size_t max_files() const { return max_files_; }

  // Closes those past the limit that are not unsynced any more; call it after a sync.
  void CloseSurplus();

  size_t open() const { return in_use_.size() + opening_; }

 private:
  struct Loaded {
    SegmentIndex index;
    size_t flushed_entries = 0;
  };
  void Use(const std::shared_ptr<Segment>& segment);
  size_t max_read_files() const { return max_files_ - max_files_ / kWriterShare; }
  io::Task<Result<SegmentIndex>> ReadIndexFile(const Segment& segment, uint64_t end_position);
  io::Task<Result<SegmentIndex>> Index(std::shared_ptr<Segment> segment,
                                       std::shared_ptr<io::File> file, SegmentIndex index,
                                       uint64_t end);
  io::Task<Result<Loaded>> Load(std::shared_ptr<Segment> segment, std::shared_ptr<io::File> file,
                                uint64_t end);

  io::Disk& disk_;
  HeavyWork heavy_work_;
  size_t max_open_;
  size_t max_files_;
  size_t opening_ = 0;
  uint64_t marked_ = 0;  // calls of MarkUnsynced
  size_t loading_ = 0;   // index files that are being read
  io::WaitQueue loaded_;
  io::WaitQueue suspected_;
  std::list<std::shared_ptr<Segment>> in_use_;  // the one used last is in front
};

}  // namespace meridian::queue
