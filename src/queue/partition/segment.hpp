// Segment: one segment file of a partition, its index, and what of it is written and synced.
// Plain data that PartitionLog and SegmentFiles share; on their loop. Readers may keep its file
// open after it was removed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "io/file/disk.hpp"
#include "queue/partition/segment_index.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::queue {

// A segment as a checkpoint remembers it, all of it. Its batches have offsets in
// [base_offset, end_offset).
struct SegmentPosition {
  int64_t base_offset = 0;
  uint32_t generation = 0;  // how often compaction has rewritten it, for its file's name
  int64_t end_offset = 0;
  uint64_t bytes = 0;
  int64_t first_timestamp_ms = -1;  // the max timestamp of the first batch
  int64_t max_timestamp_ms = -1;    // of all batches; -1: none has one

  // Adds a batch at the end.
  void Add(const wire::kafka::BatchHeader& batch);
  bool operator==(const SegmentPosition&) const = default;
};

// Bytes of a segment in which a check has found no valid batches.
struct BadBatches {
  uint64_t position = 0;
  uint64_t end_position = 0;
  int64_t begin_offset = 0;  // the offsets in [begin_offset, next_offset) cannot be read
  int64_t next_offset = 0;
  std::string problem;
};

// "00000000000000000042.log": the base offset in 20 digits, as Kafka names its segments;
// "00000000000000000042.3.log": rewritten three times.
std::string SegmentFileName(int64_t base_offset, uint32_t generation = 0);
std::string IndexFileName(int64_t base_offset, uint32_t generation = 0);

struct Segment {
  std::string path;
  std::string index_path;
  SegmentPosition written;  // what can be read
  SegmentPosition synced;   // what a crash keeps; not more than `written`
  // What was prepared, and is written or will be.
  uint64_t prepared_bytes = 0;
  // Less than written.bytes: the file was damaged; 0 where it is missing.
  uint64_t file_bytes = UINT64_MAX;
  bool missing = false;         // there was no file
  std::vector<BadBatches> bad;  // that the last check has found, in ascending order
  bool suspect = false;         // a read has failed, or the file is too short: a check is due
  uint64_t repairs = 0;         // that began or ended; a check that overlaps with one is void
  bool sealed = false;          // another one follows, so that it is never written to
  bool unsynced = false;        // written to since the last sync; stays open
  uint64_t unsynced_since = 0;  // a number that is higher the later that began
  bool unsynced_name = false;
  bool removed = false;  // its files are, or are about to be

  SegmentIndex index;
  uint64_t index_resets = 0;       // how often the index was dropped, for fibers that load it
  size_t flushed_entries = 0;      // entries of the index that are in its file, when it is complete
  std::shared_ptr<io::File> file;  // null: not open

  // Of SegmentFiles.
  std::list<std::shared_ptr<Segment>>::iterator in_use_order;
  bool is_listed = false;

  // It never changes again, but for repairs.
  bool closed() const { return sealed && !unsynced && !removed; }
  bool too_short() const { return file_bytes < written.bytes; }
  bool damaged() const { return too_short() || !bad.empty(); }
};

}  // namespace meridian::queue
