// Record batches of Kafka's format v2 (kafka.apache.org/documentation, "Record Batch"): the header,
// what a broker checks before it stores a batch, and the fields that a broker rewrites in place.
// Pure; any thread. The records themselves: record_reader.hpp, batch_writer.hpp.
//
// Layout, big-endian: base offset (8 bytes), length of all that follows (4), leader epoch (4),
// magic 2 (1), CRC-32C from the attributes to the end (4), attributes (2), last offset delta (4),
// base timestamp (8), max timestamp (8), producer id (8), producer epoch (2), base sequence (4),
// record count (4), records: 61 bytes before the records.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "wire/kafka/compression.hpp"
#include "wire/kafka/error_code.hpp"

namespace meridian::wire::kafka {

inline constexpr size_t kBatchHeaderBytes = 61;

// Bits of the attributes. The lowest three are the Codec.
inline constexpr uint16_t kLogAppendTimeBit = 0x08;
inline constexpr uint16_t kTransactionalBit = 0x10;
inline constexpr uint16_t kControlBit = 0x20;
// The base timestamp is the time when compaction may drop the tombstones of this batch.
inline constexpr uint16_t kDeleteHorizonBit = 0x40;

struct BatchHeader {
  int64_t base_offset = 0;
  size_t bytes = 0;  // of the whole batch, including the 12 bytes of base offset and length
  int32_t leader_epoch = -1;
  uint32_t crc = 0;
  uint16_t attributes = 0;
  int32_t last_offset_delta = 0;
  int64_t base_timestamp_ms = -1;  // -1: none
  int64_t max_timestamp_ms = -1;
  int64_t producer_id = -1;  // -1: not an idempotent producer
  int16_t producer_epoch = -1;
  int32_t base_sequence = -1;
  int32_t record_count = 0;  // below last_offset_delta + 1 in a compacted batch

  int64_t last_offset() const { return base_offset + last_offset_delta; }
  int64_t next_offset() const { return last_offset() + 1; }
  Codec codec() const { return static_cast<Codec>(attributes & 7); }
  bool log_append_time() const { return (attributes & kLogAppendTimeBit) != 0; }
  bool transactional() const { return (attributes & kTransactionalBit) != 0; }
  bool control() const { return (attributes & kControlBit) != 0; }
  bool has_delete_horizon() const { return (attributes & kDeleteHorizonBit) != 0; }

  bool operator==(const BatchHeader&) const = default;
};

// In the functions below `code`, if not null, is set on a failure to the error with which a broker
// answers a produce request that holds such a batch.

// The header at the front of `bytes`, of which only kBatchHeaderBytes need to be there. Checks the
// structure alone: magic, length, counts that are not negative.
Result<BatchHeader> ReadBatchHeader(Bytes bytes, ErrorCode* code = nullptr);

// Checks exactly one whole batch that a broker stored: structure, length and CRC. Its records may
// have gaps (compaction) and are not looked at.
Result<BatchHeader> CheckStoredBatch(Bytes batch, ErrorCode* code = nullptr);

// Checks exactly one whole batch that a producer sent. As CheckStoredBatch, and: each record is
// well-formed, also after decompression (at most kMaxRecordsBytes); offset deltas are 0 to n-1;
// timestamps are of the producer and not negative; a producer id comes with an epoch and a
// sequence; the batch is not a control batch. Any base offset passes. Of an uncompressed batch
// nothing is allocated.
//
// max_timestamp_ms of the result is the maximum of the records' timestamps. Some clients (Sarama)
// write another into the batch; a broker stores it corrected, by SetMaxTimestamp.
Result<BatchHeader> CheckBatch(Bytes batch, ErrorCode* code = nullptr);

// Rewrite a field outside of the CRC. `batch` holds at least kBatchHeaderBytes.
void SetBaseOffset(MutableBytes batch, int64_t base_offset);
void SetLeaderEpoch(MutableBytes batch, int32_t leader_epoch);

// The two functions below change the CRC, so that a header that was read before is out of date.
// `batch` is one whole batch.

// Corrects the max timestamp. Where it is right already, nothing is written.
void SetMaxTimestamp(MutableBytes batch, int64_t max_timestamp_ms);

// Makes `now_ms` the timestamp of all records (LogAppendTime).
void StampAppendTime(MutableBytes batch, int64_t now_ms);

}  // namespace meridian::wire::kafka
