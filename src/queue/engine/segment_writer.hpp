// SegmentWriter: takes batches in the order of the journal, and writes them to the segment files of
// their partitions once they are durable: all that are, in one hand-over to the disk, without a
// sync. Then the high watermarks move.
//
// A write that fails for lack of room is tried again until there is room: the batches are durable
// in the journal, and no more are accepted meanwhile than fit in InFlightRoom.
//
// Owned by the DurableState; one thread: the loop's. Await Stop before destroying it. Invariant: a
// partition's batches are written in the order in which they were added.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/recurring_problem.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "queue/engine/in_flight_room.hpp"
#include "queue/engine/partition.hpp"
#include "store/disk_failure.hpp"
#include "store/journal.hpp"

namespace meridian::queue {

struct PendingBatch {
  std::shared_ptr<Partition> partition;
  std::vector<uint8_t> record;  // of the journal; the batch is at its end
  size_t prefix_bytes = 0;      // before the batch
  int64_t next_offset = 0;      // behind the batch
  uint64_t journal_end = 0;     // behind the record

  Bytes batch() const { return Bytes(record).subspan(prefix_bytes); }
};

class SegmentWriter {
 public:
  struct Options {
    store::OnDiskFailure on_disk_failure;
    // Opens a partition's segment files before the first write to them.
    std::function<io::Task<Result<void>>(Partition& partition)> open_log;
    // Sees to it that so many files more may be open.
    std::function<io::Task<Result<void>>(size_t files)> make_room;
    size_t max_partitions = 1;  // of which batches are written in one hand-over
  };

  SegmentWriter(io::Loop& loop, io::Disk& disk, store::Journal& journal, InFlightRoom& room,
                Options options);
  void Start();
  io::Task<void> Stop();

  // The room for the batch was reserved; it is released when the batch is written.
  void Add(PendingBatch batch);
  // Waits until at most `bytes` are left to be written. kCancelled.
  io::Task<Result<void>> AwaitPending(size_t bytes);
  // The journal's offset of the oldest record that is not in the segment files yet.
  std::optional<uint64_t> oldest_pending() const;

  // Why segment files cannot be written now. Empty: they can.
  const std::string& problem() const { return problem_text_; }

  // While one exists, no segment file is written, so that its owner may remove some.
  class Pause {
   public:
    explicit Pause(SegmentWriter& writer) : writer_(writer) { ++writer_.pauses_; }
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;
    ~Pause();
    // Waits for the end of the write under way. kCancelled.
    io::Task<Result<void>> AwaitIdle();

   private:
    SegmentWriter& writer_;
  };

 private:
  struct Group;
  io::Task<void> Run();
  Group TakeDurable() const;
  io::Task<Result<void>> Write(Group& group);
  io::Task<Result<void>> Prepare(Group& group);
  void Finish(Group& group);
  io::Task<bool> HandleFailure(const Error& error);

  io::Loop& loop_;
  io::Disk& disk_;
  store::Journal& journal_;
  InFlightRoom& room_;
  Options options_;
  std::deque<PendingBatch> pending_;
  size_t pending_bytes_ = 0;
  int pauses_ = 0;
  bool writing_ = false;
  RecurringProblem problem_;
  std::string problem_text_;
  io::WaitQueue added_;
  io::WaitQueue changed_;  // a group was written, or a pause has ended
  io::Scope scope_;
};

}  // namespace meridian::queue
