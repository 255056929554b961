// Partition: a partition while the program runs: its segment files, the high watermark, and the
// fibers that wait for it to move.
//
// Shared by the DurableState and the fibers that use it, so that it outlives the deletion of its
// topic. One thread: the loop's. Invariants: the high watermark falls only when the topic's home
// has moved (a cut); what is below it is durable in a journal and is in the segment files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "queue/partition/partition_log.hpp"
#include "queue/partition/segment.hpp"
#include "queue/state/journal_record.hpp"

namespace meridian::queue {

class DataWait;

class Partition {
 public:
  Partition(PartitionId id, std::string name) : id_(id), name_(std::move(name)) {}

  PartitionId id() const { return id_; }
  const std::string& name() const { return name_; }  // such as "orders-3", for people
  int64_t high_watermark() const { return high_watermark_; }
  // The topic was deleted.
  bool gone() const { return gone_; }

  // Null before the first batch is written.
  PartitionLog* log() const { return log_.get(); }
  void set_log(std::unique_ptr<PartitionLog> log) { log_ = std::move(log); }
  // Where the segment files stood at the checkpoint; for opening them.
  const PartitionPosition& position() const { return position_; }
  void set_position(PartitionPosition position) {
    position_ = std::move(position);
    high_watermark_ = position_.end_offset;
  }
  // Adds segments behind those of the position. False: they are not behind them, or end above it.
  bool AddSegments(std::span<const SegmentPosition> segments);

  // Whether the log has files that a compaction has replaced, and no checkpoint has released yet.
  bool compacted() const { return compacted_; }
  void set_compacted(bool compacted) { compacted_ = compacted; }

  // So many bytes of batches below `next_offset` can be read from now on.
  void Commit(int64_t next_offset, size_t bytes);
  // Ends all waits.
  void MarkGone();
  // The topic's home has moved: what is at and above `offset` does not count. Waits for it end, and
  // the high watermark stays below until EndCut, when that part is gone from the segment files.
  void BeginCut(int64_t offset);
  void EndCut();
  // It is known that another home has begun, and not yet where: all waits for the high watermark
  // end, and it stays where it is until Unfence.
  void Fence();
  void Unfence();
  bool is_being_cut() const { return !cuts_.empty(); }
  // Waits until the high watermark has reached `offset`. kNotFound: the topic was deleted;
  // kPermission: it was cut off; kTimeout, kCancelled.
  io::Task<Result<void>> AwaitCommitted(int64_t offset, TimePoint deadline);

 private:
  friend class DataWait;

  PartitionId id_;
  std::string name_;
  PartitionPosition position_;
  std::unique_ptr<PartitionLog> log_;
  int64_t high_watermark_ = 0;
  std::vector<int64_t> cuts_;  // that have begun and not ended
  uint64_t cuts_begun_ = 0;
  bool fenced_ = false;
  int64_t fenced_end_ = 0;  // the high watermark without the fence
  bool gone_ = false;
  bool compacted_ = false;
  io::WaitQueue committed_;
  std::list<DataWait*> data_waits_;
};

// One reader's wait for data in several partitions.
class DataWait {
 public:
  explicit DataWait(size_t min_bytes) : min_bytes_(min_bytes) {}
  DataWait(const DataWait&) = delete;
  DataWait& operator=(const DataWait&) = delete;
  ~DataWait();

  void Watch(std::shared_ptr<Partition> partition);
  // False: the deadline passed, or the fiber was cancelled.
  io::Task<bool> Wait(TimePoint deadline);

 private:
  friend class Partition;
  void OnCommitted(size_t bytes);
  void OnGone();

  size_t min_bytes_;
  size_t bytes_ = 0;
  bool done_ = false;
  io::WaitQueue queue_;
  std::vector<std::pair<std::shared_ptr<Partition>, std::list<DataWait*>::iterator>> watched_;
};

}  // namespace meridian::queue
