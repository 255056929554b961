// What compaction keeps of a partition (cleanup.policy=compact): of each key the last record, of a
// batch what is left, at the same offsets. Pure; used by one run of PartitionLog::Compact.
//
// Records without a key stay. A tombstone (a record without a value) that is the last of its key
// stays until its batch's delete horizon, which the first compaction that sees it sets (KIP-534).
// The last batch of a producer stays, if only its header, so that its sequence can be read from the
// log.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "queue/partition/limits.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::queue {

// The last offset of each key, and the last batch of each producer, in a range of batches that is
// added in order.
class LastOffsets {
 public:
  explicit LastOffsets(size_t max_bytes = kMaxCompactionKeyBytes) : max_bytes_(max_bytes) {}

  // Adds the records of a whole batch. False: the keys need too much memory, and the range ends
  // before this batch. kInvalid: the batch is malformed.
  Result<bool> Add(Bytes batch);

  // Whether a later record of the range has the key.
  bool IsReplaced(std::string_view key, int64_t offset) const;
  // Whether the batch is the last of its producer.
  bool IsLastOfProducer(const wire::kafka::BatchHeader& batch) const;
  int64_t end_offset() const { return end_offset_; }

 private:
  std::unordered_map<std::string, int64_t> keys_;
  std::unordered_map<int64_t, int64_t> producers_;  // base offsets, by producer id
  size_t bytes_ = 0;
  size_t max_bytes_;
  int64_t end_offset_ = 0;
};

struct CompactionTimes {
  int64_t now_ms = 0;
  int64_t delete_retention_ms = 0;
};

// The batch with the records that stay; nothing: all of it goes. The same bytes if nothing changes.
Result<std::optional<std::vector<uint8_t>>> CompactBatch(Bytes batch, const LastOffsets& last,
                                                         const CompactionTimes& times);

}  // namespace meridian::queue
