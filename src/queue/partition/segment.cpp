#include "queue/partition/segment.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "wire/kafka/record_batch.hpp"

namespace meridian::queue {
namespace {

std::string NameOf(int64_t base_offset, uint32_t generation, std::string_view kind) {
  if (generation == 0) return fmt::format("{:020}.{}", base_offset, kind);
  return fmt::format("{:020}.{}.{}", base_offset, generation, kind);
}

}  // namespace

void SegmentPosition::Add(const wire::kafka::BatchHeader& batch) {
  if (bytes == 0) first_timestamp_ms = batch.max_timestamp_ms;
  bytes += batch.bytes;
  end_offset = batch.next_offset();
  max_timestamp_ms = std::max(max_timestamp_ms, batch.max_timestamp_ms);
}

std::string SegmentFileName(int64_t base_offset, uint32_t generation) {
  return NameOf(base_offset, generation, "log");
}

std::string IndexFileName(int64_t base_offset, uint32_t generation) {
  return NameOf(base_offset, generation, "index");
}

}  // namespace meridian::queue
