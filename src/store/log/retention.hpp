// Which of a log's oldest segments can be removed. Pure.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"

namespace meridian::store {

struct RetentionPolicy {
  // A segment whose newest record is older than this can be removed. Zero: age does not count.
  Duration max_age = Duration::zero();
  // The oldest segments are removed until at most this is left. Zero: size does not count.
  uint64_t max_bytes = 0;
  // Records below this end offset are not needed any more, whatever their age: a snapshot covers
  // them.
  uint64_t released_before = 0;
  // Records from here on stay, whatever age and size say.
  uint64_t pinned_from = std::numeric_limits<uint64_t>::max();
};

struct SegmentSummary {
  uint64_t end_offset = 0;
  uint64_t bytes = 0;
  HybridTime newest;
};

// Segments whose records are all below the returned offset may be removed; 0 when none may. The
// last segment, which is written to, always stays.
uint64_t RemovableBelow(std::span<const SegmentSummary> segments, const RetentionPolicy& policy,
                        WallTime now);

}  // namespace meridian::store
