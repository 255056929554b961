#include "queue/partition/segment.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "wire/kafka/record_batch.hpp"

namespace meridian::queue {
namespace {

constexpr size_t kNameDigits = 20;
constexpr std::string_view kSegmentSuffix = ".log";

}  // namespace

void SegmentPosition::Add(const wire::kafka::BatchHeader& batch) {
  if (bytes == 0) first_timestamp_ms = batch.max_timestamp_ms;
  bytes += batch.bytes;
  end_offset = batch.next_offset();
  max_timestamp_ms = std::max(max_timestamp_ms, batch.max_timestamp_ms);
}

std::string SegmentFileName(int64_t base_offset) {
  return fmt::format("{:020}{}", base_offset, kSegmentSuffix);
}

std::string IndexFileName(int64_t base_offset) { return fmt::format("{:020}.index", base_offset); }

std::optional<int64_t> ParseSegmentFileName(std::string_view name) {
  if (name.size() != kNameDigits + kSegmentSuffix.size() || !name.ends_with(kSegmentSuffix)) {
    return std::nullopt;
  }
  int64_t offset = 0;
  const char* end = name.data() + kNameDigits;
  auto parsed = std::from_chars(name.data(), end, offset);
  if (parsed.ec != std::errc() || parsed.ptr != end || offset < 0) return std::nullopt;
  return offset;
}

}  // namespace meridian::queue
