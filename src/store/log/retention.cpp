#include "store/log/retention.hpp"

#include <cstdint>
#include <span>

#include "base/clock.hpp"

namespace meridian::store {

uint64_t RemovableBelow(std::span<const SegmentSummary> segments, const RetentionPolicy& policy,
                        WallTime now) {
  uint64_t bytes = 0;
  for (const SegmentSummary& segment : segments) bytes += segment.bytes;
  uint64_t below = 0;
  for (const SegmentSummary& oldest : segments.first(segments.empty() ? 0 : segments.size() - 1)) {
    bool released = oldest.end_offset <= policy.released_before;
    bool old = policy.max_age > Duration::zero() && oldest.newest.Wall() < now - policy.max_age;
    bool too_many = policy.max_bytes > 0 && bytes > policy.max_bytes;
    if (!released && !old && !too_many) break;
    if (!released && oldest.end_offset > policy.pinned_from) break;
    bytes -= oldest.bytes;
    below = oldest.end_offset;
  }
  return below;
}

}  // namespace meridian::store
