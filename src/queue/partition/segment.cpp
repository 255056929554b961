#include "queue/partition/segment.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

#include <fmt/format.h>

#include "wire/kafka/record_batch.hpp"

namespace meridian::queue {
void SegmentPosition::Add(const wire::kafka::BatchHeader& batch) {
  if (bytes == 0) first_timestamp_ms = batch.max_timestamp_ms;
  bytes += batch.bytes;
  end_offset = batch.next_offset();
  max_timestamp_ms = std::max(max_timestamp_ms, batch.max_timestamp_ms);
}

std::string SegmentFileName(int64_t base_offset) { return fmt::format("{:020}.log", base_offset); }

std::string IndexFileName(int64_t base_offset) { return fmt::format("{:020}.index", base_offset); }

}  // namespace meridian::queue
