#include "queue/partition/retention.hpp"

#include <algorithm>
#include <cstdint>
#include <span>

#include "queue/partition/segment.hpp"

namespace meridian::queue {

int64_t LogStartAfterRetention(std::span<const SegmentPosition> segments,
                               const RetentionInput& input) {
  uint64_t left = 0;
  for (const SegmentPosition& segment : segments) left += segment.bytes;
  int64_t log_start = input.log_start_offset;
  for (const SegmentPosition& segment : segments) {
    bool last = &segment == &segments.back();
    bool expired = input.limits.ms && segment.max_timestamp_ms >= 0 &&
                   input.now_ms - segment.max_timestamp_ms > *input.limits.ms;
    left -= segment.bytes;
    bool surplus = input.limits.bytes && !last && left >= *input.limits.bytes;
    bool goes =
        segment.bytes > 0 && segment.end_offset <= input.limit_offset && (expired || surplus);
    // What is below the log start already is let go without a reason.
    if (!goes && segment.end_offset > input.log_start_offset) break;
    log_start = std::max(log_start, segment.end_offset);
  }
  return log_start;
}

}  // namespace meridian::queue
