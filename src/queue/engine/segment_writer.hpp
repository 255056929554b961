// SegmentWriter: takes batches in the order of the journal, and writes them to the segment files of
// their partitions once they are durable: all that are, in one hand-over to the disk, without a
// sync. Then the high watermarks move.
//
// Batches whose topic wants copies in other data centers wait for those first (MirrorGate). Where a
// topic's home has moved, what does not count any more is cut off in the order of the journals.
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
#include "queue/state/journal_record.hpp"
#include "store/disk_failure.hpp"
#include "store/journal.hpp"

namespace meridian::queue {

// From `offset` on a partition's batches do not count any more: a home of epoch `epoch` has begun
// there.
struct PartitionCut {
  int64_t offset = 0;
  int32_t epoch = 0;
};

struct PendingBatch {
  std::shared_ptr<Partition> partition;
  std::vector<uint8_t> record = {};  // of the journal; the batch is at its end
  size_t prefix_bytes = 0;           // before the batch
  int64_t next_offset = 0;           // behind the batch
  NodeId author = 0;                 // of the journal
  uint64_t journal_end = 0;          // behind the record; 0: of no journal, and durable elsewhere
  size_t copies = 0;                 // in other data centers, before it is visible
  std::optional<PartitionCut> cut = {};  // no batch, but this

  Bytes batch() const { return Bytes(record).subspan(prefix_bytes); }
};

// Whether records of this data center's journal have enough copies in others.
class MirrorGate {
 public:
  virtual ~MirrorGate() = default;
  // Whether `copies` other data centers have all below `journal_end`, or it is not waited for them.
  virtual bool IsOpen(uint64_t journal_end, size_t copies) const = 0;
  // Waits until it is. kCancelled.
  virtual io::Task<Result<void>> Await(uint64_t journal_end, size_t copies) = 0;
};

class SegmentWriter {
 public:
  // `node`: the author of `journal`.
  struct Parts {
    io::Loop& loop;
    io::Disk& disk;
    store::Journal& journal;
    NodeId node = 0;
    InFlightRoom& room;
    store::OnDiskFailure on_disk_failure;
    // Opens a partition's segment files before the first write to them.
    std::function<io::Task<Result<void>>(Partition& partition)> open_log;
    // Sees to it that so many files more may be open.
    std::function<io::Task<Result<void>>(size_t files)> make_room;
    // Cuts a partition off, and keeps what was cut off elsewhere. kUnavailable: tried again.
    std::function<io::Task<Result<void>>(std::shared_ptr<Partition>, PartitionCut)> cut;
    size_t max_partitions = 1;  // of which batches are written in one hand-over
  };
  explicit SegmentWriter(Parts parts);
  // Null: no batch waits for copies.
  void set_gate(MirrorGate* gate) { gate_ = gate; }
  void Start();
  io::Task<void> Stop();

  // The room for the batch was reserved; it is released when the batch is written.
  void Add(PendingBatch batch);
  // Waits until at most `bytes` are left to be written. kCancelled.
  io::Task<Result<void>> AwaitPending(size_t bytes);
  // The offset, in the journal of `author`, of the oldest record that is not in the segment files
  // yet.
  std::optional<uint64_t> oldest_pending(NodeId author) const;
  // Batches and cuts that wait to be written, in their order.
  const std::deque<PendingBatch>& pending() const { return pending_; }

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
  io::Task<Result<void>> AwaitFront();
  bool IsReady(const PendingBatch& batch) const;
  io::Task<Result<void>> CutFront();
  Group TakeReady() const;
  io::Task<Result<void>> Write(Group& group);
  io::Task<Result<void>> Prepare(Group& group);
  void Finish(Group& group);
  void NoteSuccess();
  io::Task<bool> HandleFailure(const Error& error);

  Parts parts_;
  MirrorGate* gate_ = nullptr;
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
