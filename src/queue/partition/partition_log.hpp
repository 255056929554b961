// PartitionLog: the segment files of one partition in a folder of its own. `N.log` holds Kafka
// record batches from offset N on and nothing else, so that any range of whole batches can be sent
// as it is; `N.index` is its sparse index, which is built again where it is missing.
//
//   auto log = co_await PartitionLog::Open(files, {.folder = "queue/topics/7/0"}, position);
//   std::vector<io::FileWrite> writes;
//   co_await (*log)->Prepare(batches, writes);          // for each partition of a group
//   co_await files.disk().WriteFiles(writes);           // then one hand-over for all of them
//   (*log)->Finish();
//   auto range = co_await (*log)->Read({.offset = 42, .max_bytes = 1 << 20, .limit_offset = hw});
//   co_await stream.SendFile(*range->file, {range->position, range->bytes});
//
// Nothing here is durable by itself: the owner's journal is, until SyncLogs. position() is what a
// checkpoint may remember then. The next Open cuts off everything beyond it, and does not read what
// is below it, so that thousands of partitions open fast.
//
// Owned by the engine; one thread: the loop's. Reads may overlap with everything; of the functions
// that change the log one runs at a time, but DropBefore and SyncLogs may overlap with an append.
// Invariants: only the last segment is written to; offsets
// ascend over batches and segments (with gaps after compaction); what Finish has not seen cannot be
// read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/task.hpp"
#include "queue/partition/compaction.hpp"
#include "queue/partition/limits.hpp"
#include "queue/partition/recent_positions.hpp"
#include "queue/partition/segment.hpp"
#include "queue/partition/segment_files.hpp"
#include "queue/partition/segment_scan.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::queue {

struct PartitionOptions {
  std::string folder;  // its parent exists; it is made when the first batch is written
  uint64_t segment_bytes = kDefaultSegmentBytes;
  // A segment is sealed when a batch is so much later, by its timestamp, than the first one.
  int64_t segment_ms = kDefaultSegmentMs;
  // A smaller segment is not sealed for its age: producers choose the timestamps.
  uint64_t min_aged_bytes = kMinAgedSegmentBytes;
};

// A partition as a checkpoint remembers it. Offsets are in [log_start_offset, end_offset).
struct PartitionPosition {
  int64_t log_start_offset = 0;
  int64_t end_offset = 0;
  std::vector<SegmentPosition> segments;

  bool operator==(const PartitionPosition&) const = default;
};

// Whole batches in a segment file, which the file keeps readable whatever becomes of the log.
struct FileRange {
  std::shared_ptr<io::File> file;  // null: there are no bytes
  uint64_t position = 0;
  size_t bytes = 0;
  int64_t begin_offset = 0;
  int64_t next_offset = 0;  // where the next read goes on
};

struct ReadRequest {
  int64_t offset = 0;
  size_t max_bytes = 0;
  int64_t limit_offset = 0;  // the high watermark
  // Also what is below the log start, as long as the segment is there.
  bool below_log_start = false;
};

// A record, as ListOffsets reports it.
struct TimedOffset {
  int64_t offset = 0;
  int64_t timestamp_ms = -1;
  int32_t leader_epoch = -1;

  bool operator==(const TimedOffset&) const = default;
};

// A segment whose file is missing, shorter than it was when it was synced, or has bad batches.
struct DamagedSegment {
  // Its file is there and has no bytes, and so have those of all segments before it: EmptyBefore
  // did that.
  bool emptied = false;
  std::string path;
  int64_t base_offset = 0;
  int64_t end_offset = 0;
  uint64_t file_bytes = 0;  // what is there, and can be read
  uint64_t expected_bytes = 0;
  std::vector<BadBatches> bad;  // none: it was not checked yet
};

struct CompactionRequest {
  int64_t limit_offset = 0;  // the high watermark
  CompactionTimes times;
};

struct CompactionReport {
  uint64_t read_bytes = 0;     // of segments that were replaced
  uint64_t written_bytes = 0;  // of those that replaced them
};

struct CheckRequest {
  int64_t base_offset = 0;  // of the segment
  // Where leader epochs begin, as far as is known: batches say theirs outside of their checksum.
  std::vector<LeaderEpochStart> epochs;
  uint64_t bytes_per_second = UINT64_MAX;
};

struct CheckReport {
  std::string path;
  uint64_t bytes = 0;           // that were read
  std::vector<BadBatches> bad;  // none: all is well
  bool news = false;            // the check before found something else
};

class PartitionLog {
 public:
  // Opens a partition that was synced up to `position`; a default one is a new partition. A file
  // that is too short or missing is no error: see damaged().
  static io::Task<Result<std::unique_ptr<PartitionLog>>> Open(SegmentFiles& files,
                                                              PartitionOptions options,
                                                              PartitionPosition position);
  // Closes its files. No function may be running.
  ~PartitionLog();

  const std::string& folder() const { return options_.folder; }
  int64_t log_start_offset() const { return log_start_offset_; }
  int64_t end_offset() const { return end_offset_; }
  uint64_t bytes() const;
  // All segments, also what is not synced, for decisions about retention.
  std::vector<SegmentPosition> segments() const;
  // What is synced, as of the last SyncLogs and what was removed since.
  PartitionPosition position() const;
  // Judge it after the replay: a segment below a log start that the checkpoint does not know yet
  // counts as missing until DropBefore.
  std::vector<DamagedSegment> damaged() const;
  bool has_damage() const;
  // The base offsets of segments that a read found damaged, and that were not checked since; of
  // those that are never written to again.
  std::vector<int64_t> suspects() const;
  std::vector<int64_t> closed_segments() const;
  // Nothing: all is synced. Otherwise a number that is higher, over all logs of the SegmentFiles,
  // the later the first segment was written to that is not synced.
  std::optional<uint64_t> unsynced_since() const;
  // For later segments.
  void Configure(uint64_t segment_bytes, int64_t segment_ms) {
    options_.segment_bytes = segment_bytes;
    options_.segment_ms = segment_ms;
  }

  // Adds the writes of whole batches, with offsets at or above end_offset() that ascend, to
  // `writes`. The bytes must stay valid until Finish or Abandon. Between these calls the log is not
  // truncated. kInvalid: a batch is malformed or its offset is too low. After an error nothing is
  // prepared.
  io::Task<Result<void>> Prepare(std::span<const Bytes> batches,
                                 std::vector<io::FileWrite>& writes);
  // After the writes have succeeded: what was prepared can be read.
  void Finish();
  // After they have failed: it is forgotten.
  void Abandon();

  // Whole batches, in one segment, from the first that has `offset` or a higher one: at most
  // `max_bytes`, but at least one; below `limit_offset`. No bytes at the limit. kNotFound: the
  // offset is below the log start or above the end. kIo: the segment is damaged there. The bytes
  // are not looked at, but for headers on the way: a batch may be damaged within.
  io::Task<Result<FileRange>> Read(ReadRequest request);
  // As Read, and each batch is whole and has the right checksum. kIo: the first one is damaged.
  io::Task<Result<FileRange>> ReadSound(ReadRequest request);
  // The first record with this timestamp or a later one (KIP-79), nothing if there is none. The
  // timestamps of a log with appends out of order are looked at in the order of offsets.
  io::Task<Result<std::optional<TimedOffset>>> OffsetAtTime(int64_t timestamp_ms);
  // The first record with the highest timestamp (KIP-734).
  io::Task<Result<std::optional<TimedOffset>>> OffsetAtMaxTime();

  // Moves the log start up to `log_start_offset`, at most to the end, and removes the segments that
  // are all below it. The owner's journal has a durable record of it.
  io::Task<Result<void>> DropBefore(int64_t log_start_offset);
  // The same while there is no room for that record: empties the files and keeps their names, so
  // that the next start can tell them from files that were lost. They go with a later DropBefore or
  // Open.
  io::Task<Result<void>> EmptyBefore(int64_t log_start_offset);
  // Whether there are such files.
  bool has_emptied() const { return !emptied_.empty(); }
  // Cuts off the batch that has `offset`, and all behind it.
  io::Task<Result<void>> TruncateTo(int64_t offset);
  // Rewrites the sealed and synced segments below `limit_offset` without the records that
  // compaction lets go, a batch at a time beside the traffic; offsets stay. Does nothing when no
  // segment was sealed since the last one. The old files stay until RemoveReplaced. kUnavailable:
  // that call is due first.
  io::Task<Result<CompactionReport>> Compact(CompactionRequest request);
  // Whether that call is due, also after a compaction that has failed half way.
  bool has_replaced() const { return !replaced_.empty(); }
  // After a checkpoint with the position() behind a compaction is durable: removes the files that
  // were replaced. A start removes them as well.
  io::Task<Result<void>> RemoveReplaced();

  // Reads all that is synced of a segment, and checks the CRC, the place and the leader epoch of
  // each batch. From now on reads of what is bad fail, and others go on: behind bad bytes the next
  // valid batch is searched for. kNotFound: there is no such segment; kUnavailable: it was changed
  // meanwhile.
  io::Task<Result<CheckReport>> CheckSegment(CheckRequest request);
  struct SegmentPatch {
    int64_t base_offset = 0;  // of the segment
    uint64_t position = 0;    // where bad batches begin
    Bytes batches;
  };
  // Writes whole valid batches, which a mirror has kept, over bad ones that a check has found, from
  // the first of them on, and syncs them. Until the bad range is filled, a further patch follows
  // behind. kInvalid: they are no valid batches in order, or go beyond the range or its offsets.
  io::Task<Result<void>> RepairSegment(SegmentPatch patch);
  // Removes the folder with all files. Nothing else may be called afterwards.
  io::Task<Result<void>> Remove();

 private:
  friend io::Task<Result<void>> SyncLogs(SegmentFiles& files, std::span<PartitionLog* const> logs);

  // A batch between Prepare and Finish.
  struct Prepared {
    std::shared_ptr<Segment> segment;
    wire::kafka::BatchHeader batch;
    uint64_t position = 0;
  };
  // What a sync covers: the segments and their positions when it began.
  struct Syncing {
    std::shared_ptr<Segment> segment;
    std::shared_ptr<io::File> file;
    SegmentPosition position;
  };
  // A batch in a segment, and the segment's file.
  struct Place {
    std::shared_ptr<io::File> file;
    uint64_t position = 0;
    int64_t base_offset = 0;
  };
  // Where a range of batches ends.
  struct RangeEnd {
    uint64_t position = 0;
    int64_t next_offset = 0;
  };

  PartitionLog(SegmentFiles& files, PartitionOptions options)
      : files_(files), options_(std::move(options)) {}

  // Open.
  io::Task<Result<void>> Load(PartitionPosition position);
  io::Task<Result<void>> RemoveUnknown(const std::vector<io::ListedFile>& found);
  io::Task<Result<void>> FitFile(Segment& segment, const std::vector<io::ListedFile>& found);

  // Append.
  std::shared_ptr<Segment> MakeSegment(int64_t base_offset, uint32_t generation = 0) const;
  bool MustRoll(const wire::kafka::BatchHeader& batch) const;
  io::Task<Result<void>> Roll(int64_t base_offset);
  io::Task<Result<void>> PrepareAll(std::span<const Bytes> batches,
                                    std::vector<io::FileWrite>& writes);

  // Sync.
  io::Task<Result<void>> BeginSync(std::vector<io::File*>& files,
                                   std::vector<std::string>& folders);
  void FinishSync();

  // Compaction.
  using Segments = std::vector<std::shared_ptr<Segment>>;
  Segments Compactable(int64_t limit_offset) const;
  bool Has(const Segments& group) const;
  io::Task<Result<bool>> AddKeys(std::shared_ptr<Segment> segment, LastOffsets& last);
  io::Task<Result<void>> CollectKeys(const Segments& segments, LastOffsets& last);
  io::Task<Result<void>> RewriteBelow(const LastOffsets& last, Segments sealed,
                                      CompactionTimes times, CompactionReport& report);
  io::Task<Result<void>> CompactGroup(Segments group, const LastOffsets& last,
                                      CompactionTimes times, CompactionReport& report);
  io::Task<Result<bool>> Rewrite(const Segments& group, std::shared_ptr<Segment> into,
                                 const LastOffsets& last, CompactionTimes times);
  bool Replace(const Segments& group, const std::shared_ptr<Segment>& by);

  // Removal.
  Segments TakeBefore(int64_t log_start_offset);
  io::Task<Result<void>> RemoveFiles(std::shared_ptr<Segment> segment);
  io::Task<Result<void>> EmptyFile(std::shared_ptr<Segment> segment);
  io::Task<Result<void>> CutSegment(std::shared_ptr<Segment> segment, int64_t offset);

  // Damage.
  bool IsLost(const Segment& segment) const;
  io::Task<Result<std::shared_ptr<io::File>>> OpenForCheck(std::shared_ptr<Segment> segment);
  void NoteIfDamaged(Segment& segment, const Error& error);
  io::Task<Result<void>> WritePatch(std::shared_ptr<Segment> segment, const SegmentPatch& patch);
  io::Task<Result<SegmentPosition>> KeepBelow(std::shared_ptr<Segment> segment,
                                              std::shared_ptr<io::File> file, int64_t offset);
  io::Task<Result<SegmentPosition>> KeepBelowWithDamage(std::shared_ptr<Segment> segment,
                                                        std::shared_ptr<io::File> file,
                                                        int64_t offset);

  // Read.
  std::shared_ptr<Segment> SegmentAt(int64_t offset) const;
  std::shared_ptr<Segment> SegmentWithBase(int64_t base_offset) const;
  std::shared_ptr<Segment> SegmentBehind(const Segment& segment) const;
  io::Task<Result<FileRange>> ReadSegment(std::shared_ptr<Segment> segment, ReadRequest request);
  io::Task<Result<std::optional<Place>>> Find(std::shared_ptr<Segment> segment, int64_t offset);
  io::Task<Result<std::optional<Place>>> Scan(std::shared_ptr<Segment> segment, int64_t offset);
  std::optional<RangeEnd> KnownEnd(Segment& segment, const ReadRequest& request, uint64_t begin);
  static const IndexEntry* EndEntry(Segment& segment, const ReadRequest& request, uint64_t begin);
  io::Task<Result<void>> MakeEndKnown(std::shared_ptr<Segment> segment, ReadRequest request,
                                      uint64_t begin);
  io::Task<Result<RangeEnd>> ScanEnd(std::shared_ptr<Segment> segment, const Place& begin,
                                     ReadRequest request);
  io::Task<Result<bool>> Verify(std::shared_ptr<Segment> segment, std::shared_ptr<io::File> file,
                                IndexEntry entry);
  io::Task<Result<std::optional<TimedOffset>>> FirstAtTime(std::shared_ptr<Segment> segment,
                                                           int64_t timestamp_ms);

  SegmentFiles& files_;
  PartitionOptions options_;
  int64_t log_start_offset_ = 0;
  int64_t end_offset_ = 0;
  std::vector<std::shared_ptr<Segment>> segments_;
  std::vector<std::shared_ptr<Segment>> replaced_;  // by compaction; their files are still there
  std::vector<std::shared_ptr<Segment>> emptied_;   // by EmptyBefore; likewise
  int64_t compacted_end_ = 0;                       // below, no key is twice; 0 after a start
  std::vector<Prepared> prepared_;
  std::vector<Syncing> syncing_;
  RecentPositions recent_;
  bool folder_made_ = false;
  uint64_t truncations_ = 0;  // a read that overlaps with one fails
};

// Syncs what was appended to the logs, in one hand-over for all, after which position() includes
// it. Appends may overlap. A sync that failed must not be tried again (io/file/disk.hpp).
io::Task<Result<void>> SyncLogs(SegmentFiles& files, std::span<PartitionLog* const> logs);

}  // namespace meridian::queue
