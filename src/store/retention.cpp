#include "store/retention.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/clock.hpp"

namespace meridian::store {

size_t SegmentsToRemove(std::span<const SegmentSummary> segments, const RetentionPolicy& policy,
                        WallTime now) {
  uint64_t bytes = 0;
  for (const SegmentSummary& segment : segments) bytes += segment.bytes;
  size_t removed = 0;
  while (removed + 1 < segments.size()) {
    const SegmentSummary& oldest = segments[removed];
    bool released = oldest.next_offset <= policy.released_before;
    bool old = policy.most_age > Duration::zero() && oldest.newest.Wall() < now - policy.most_age;
    bool too_many = policy.most_bytes > 0 && bytes > policy.most_bytes;
    if (!released && !old && !too_many) break;
    if (!released && oldest.next_offset > policy.pinned_from) break;
    bytes -= oldest.bytes;
    ++removed;
  }
  return removed;
}

}  // namespace meridian::store
