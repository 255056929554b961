// BatchWriter: builds one record batch of format v2. For our own clients, for compaction and for
// tests. Pure; one owner, used for one batch.
//
//   BatchWriter writer({.attributes = static_cast<uint16_t>(Codec::kLz4)});
//   writer.Add({.offset = 0, .timestamp_ms = now_ms, .key = "k", .value = "v"});
//   Result<std::vector<uint8_t>> batch = writer.Finish();
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "wire/kafka/record.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::wire::kafka {

class BatchWriter {
 public:
  // `header` gives base offset, leader epoch, attributes and producer, and the minimum of the last
  // offset delta, so that a compacted batch keeps its range of offsets. Kept as well: with
  // LogAppendTime the max timestamp, with a delete horizon the base timestamp. All else is
  // computed.
  explicit BatchWriter(const BatchHeader& header);

  // Appends a record. Its offset is absolute, at least the base offset, and greater than that of
  // the record before it.
  void Add(const Record& record);

  int32_t record_count() const { return header_.record_count; }
  // Size of the batch so far, before compression.
  size_t bytes() const { return kBatchHeaderBytes + records_.size(); }

  // The batch. kTooLarge: its records reach kMaxRecordsBytes before compression. A batch without
  // records is valid: compaction keeps it for the producer's state.
  Result<std::vector<uint8_t>> Finish();

 private:
  BatchHeader header_;
  std::vector<uint8_t> records_;
  std::vector<uint8_t> record_;  // scratch: the length of a record stands before it
};

}  // namespace meridian::wire::kafka
