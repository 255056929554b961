#include "store/log/segment_index.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "base/check.hpp"
#include "base/hybrid_clock.hpp"
#include "store/limits.hpp"
#include "store/log/segment.hpp"

namespace meridian::store {

void SegmentIndex::Add(const IndexedRecord& record, uint64_t position) {
  CHECK(position >= end_position_ && record.offset >= end_offset_);
  // Also behind damage, which no read can cross.
  bool gap = position > end_position_ || record.offset > end_offset_;
  if (gap || position >= entries_.back().position + kIndexIntervalBytes) {
    entries_.push_back({.offset = record.offset, .position = position, .newest_before = newest_});
  }
  end_offset_ = record.offset + record.span;
  end_position_ = position + record.bytes;
  newest_ = std::max(newest_, record.time);
}

uint64_t SegmentIndex::PositionOf(uint64_t offset) const {
  auto after = std::ranges::upper_bound(entries_, offset, {}, &Entry::offset);
  return after == entries_.begin() ? after->position : std::prev(after)->position;
}

uint64_t SegmentIndex::OffsetBefore(HybridTime time) const {
  auto after = std::ranges::lower_bound(entries_, time, {}, &Entry::newest_before);
  return after == entries_.begin() ? begin_offset_ : std::prev(after)->offset;
}

}  // namespace meridian::store
