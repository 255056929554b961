// SegmentIndex: where the offsets and timestamps of one segment are, about one entry for each
// kIndexIntervalBytes. Pure; owned by a Segment.
//
// It covers the batches from begin_position() to the end of what was added: the whole segment when
// begin_position() is 0, else only what was appended since a start; Prepend adds the part before.
// Entries ascend by offset and by position. The first batch of a segment has none.
//
// An index file is a sequence of entries, each with a checksum: 32 bytes, big-endian: offset (8),
// position (8), max timestamp (8), the batch's CRC (4), CRC-32C of the 28 bytes before (4). A file
// may be missing, torn, or older than its segment; what it lacks is read from the segment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::queue {

constexpr size_t kIndexEntryBytes = 32;

// A batch.
struct IndexEntry {
  int64_t offset = 0;             // its base offset
  uint64_t position = 0;          // its first byte in the segment
  int64_t max_timestamp_ms = -1;  // of all batches of the segment before it; -1: none has one
  uint32_t batch_crc = 0;         // the CRC in its header, by which a stale entry is noticed
  bool verified = false;          // not in the file: the batch was seen at this position

  bool operator==(const IndexEntry&) const = default;
};

class SegmentIndex {
 public:
  // Of a segment from its first byte on.
  SegmentIndex() = default;
  // Of what will be appended to a segment of `bytes` bytes.
  SegmentIndex(uint64_t bytes, int64_t max_timestamp_ms)
      : begin_position_(bytes), last_position_(bytes), max_timestamp_ms_(max_timestamp_ms) {}

  // Adds the batch at `position`, which is behind all others.
  void Add(const wire::kafka::BatchHeader& batch, uint64_t position);
  // `older` covers the segment from its first byte to begin_position().
  void Prepend(const SegmentIndex& older);
  // Adds the entries at the front of a file that are whole, ascend, and are below `end_position`.
  void Decode(Bytes file, uint64_t end_position);
  static void Encode(std::span<const IndexEntry> entries, std::vector<uint8_t>& out);

  uint64_t begin_position() const { return begin_position_; }
  std::span<const IndexEntry> entries() const { return entries_; }
  // Position of the last entry, or begin_position().
  uint64_t last_position() const { return last_position_; }

  // The last entry at or before an offset or a position; the last one before which all timestamps
  // are below `timestamp_ms`. Null: there is none, the search begins with the segment.
  IndexEntry* AtOrBeforeOffset(int64_t offset);
  IndexEntry* AtOrBeforePosition(uint64_t position);
  IndexEntry* BeforeTimestamp(int64_t timestamp_ms);

 private:
  std::vector<IndexEntry> entries_;
  uint64_t begin_position_ = 0;
  uint64_t last_position_ = 0;
  int64_t max_timestamp_ms_ = -1;  // of all batches that were added, and those before them
};

}  // namespace meridian::queue
