// Which offsets of a partition the limits of its topic let go (retention.ms, retention.bytes).
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "queue/partition/segment.hpp"

namespace meridian::queue {

struct RetentionLimits {
  std::optional<int64_t> ms;      // nothing: for ever
  std::optional<uint64_t> bytes;  // nothing: any number
};

struct RetentionInput {
  RetentionLimits limits;
  int64_t now_ms = 0;
  int64_t log_start_offset = 0;
  int64_t limit_offset = 0;  // the high watermark: no segment beyond it is let go
};

// The new log start: whole segments go, the oldest first, while the newest timestamp in one is
// older than `limits.ms`, or the others alone have `limits.bytes`. The last segment goes by time
// only. A segment without timestamps does not go by time.
int64_t LogStartAfterRetention(std::span<const SegmentPosition> segments,
                               const RetentionInput& input);

}  // namespace meridian::queue
