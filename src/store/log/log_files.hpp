// LogFiles: the segment files of one log: found and checked at a start, appended to, synced, read
// and removed. The Log decides what is written when. Private to store/.
//
// Owned by a Log; one thread. Invariants: only the last segment is written to; all others, and
// their names, are synced. A record is in the index once it is synced.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/hybrid_clock.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "store/log/record.hpp"
#include "store/log/retention.hpp"
#include "store/log/segment.hpp"
#include "store/log/segment_index.hpp"

namespace meridian::store {

// Offsets that are lost because a file was damaged after it had been synced. The bytes stay in the
// file, for a repair by hand, until retention removes the segment.
struct DamagedRange {
  std::string path;
  uint64_t begin_position = 0;
  uint64_t end_position = 0;
  uint64_t begin_offset = 0;
  uint64_t end_offset = 0;
};

// What was found at the start.
struct RecoveryReport {
  uint64_t segments = 0;
  uint64_t records = 0;
  uint64_t cut_bytes = 0;  // of a write that a crash had interrupted
  std::vector<DamagedRange> damaged;
};

class LogFiles {
 public:
  LogFiles(io::Disk& disk, std::string folder) : disk_(disk), folder_(std::move(folder)) {}

  struct Creation {
    uint64_t id = 0;
    uint64_t begin_offset = 0;
  };
  // Reads the segments, or makes the first one as `creation` says.
  io::Task<Result<void>> Open(Creation creation);

  uint64_t id() const { return id_; }
  uint64_t begin_offset() const { return segments_.front().index.begin_offset(); }
  uint64_t end_offset() const { return segments_.back().index.end_offset(); }
  HybridTime newest_time() const { return newest_time_; }
  uint32_t newest_epoch() const { return newest_epoch_; }
  uint64_t bytes() const;
  uint64_t last_segment_bytes() const { return segments_.back().index.end_position(); }
  size_t segments() const { return segments_.size(); }
  const RecoveryReport& recovery() const { return recovery_; }

  // Appends records to the last segment, and syncs them. May be tried again after kUnavailable (the
  // disk is full); kIo: also a sync that failed.
  io::Task<Result<void>> WriteAndSync(Bytes encoded);
  // Makes them readable.
  void Add(std::span<const IndexedRecord> records, uint32_t epoch);
  // Seals the last segment and begins another.
  io::Task<Result<void>> Roll();
  // Begins a new first segment, and removes all others.
  io::Task<Result<void>> StartOver(Creation creation);

  io::Task<Result<RecordBatch>> Read(uint64_t from, size_t max_bytes);
  // See Log.
  uint64_t NextReadable(uint64_t offset) const;
  io::Task<Result<uint64_t>> FreeBytes() { return disk_.FreeBytes(folder_); }
  // See Log::OffsetAt.
  uint64_t OffsetBefore(HybridTime time) const;
  std::vector<SegmentSummary> Summaries() const;
  // Removes the oldest segments whose records are all below `offset`, never the last one; one after
  // the other. Several calls may run at once, also while the log grows or starts over.
  io::Task<Result<void>> RemoveBelow(uint64_t offset);

 private:
  struct Segment {
    std::string path;
    SegmentIndex index;
    std::shared_ptr<io::File> file;  // null: opened when it is read
  };

  std::string PathOf(uint64_t begin_offset) const {
    return folder_ + "/" + SegmentName(begin_offset);
  }
  io::Task<Result<void>> Begin(SegmentHeader header);
  io::Task<Result<void>> RemoveInOrder(uint64_t offset);

  // Recovery.
  struct Candidate;
  io::Task<Result<std::vector<Candidate>>> FindCandidates();
  io::Task<Result<void>> RemoveReplaced(std::vector<Candidate>& candidates);
  Result<void> IdentifyLog(const std::vector<Candidate>& candidates);
  io::Task<Result<void>> Load(std::vector<Candidate>& candidates);
  io::Task<Result<SegmentScan>> Scan(Candidate& candidate, std::vector<SegmentScan::Found>* found);
  io::Task<Result<void>> CutTail(Segment& segment, uint64_t size);
  void AddDamage(DamagedRange range);
  void TakeSegment(const Candidate& candidate, const SegmentScan& scan,
                   std::vector<SegmentScan::Found> found, bool last);

  const Segment& SegmentOf(uint64_t offset) const;
  Result<void> CheckReadable(uint64_t from) const;
  uint64_t ReadableEnd(uint64_t from) const;
  io::Task<Result<std::shared_ptr<io::File>>> FileOf(const Segment& segment);

  io::Disk& disk_;
  std::string folder_;
  uint64_t id_ = 0;
  std::deque<Segment> segments_;
  HybridTime newest_time_;
  uint32_t newest_epoch_ = 0;
  RecoveryReport recovery_;
  // The sealed segment that was read last.
  std::string read_path_;
  std::shared_ptr<io::File> read_file_;
  bool removing_ = false;
  std::string unremoved_;  // the file of a segment that is no longer in segments_; mostly empty
  io::WaitQueue removal_ended_;
};

}  // namespace meridian::store
