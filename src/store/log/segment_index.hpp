// SegmentIndex: about where in a segment the record of an offset or a time is: one entry for each
// kIndexIntervalBytes; from there on the records are read. In memory; recovery builds it. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "base/hybrid_clock.hpp"
#include "store/log/segment.hpp"

namespace meridian::store {

class SegmentIndex {
 public:
  // Of a segment whose first record has `begin_offset` and is at `position`.
  SegmentIndex(uint64_t begin_offset, uint64_t position)
      : begin_offset_(begin_offset), end_offset_(begin_offset), end_position_(position) {
    entries_.push_back({.offset = begin_offset, .position = position});
  }

  // The record at `position`, behind all that were added before.
  void Add(const IndexedRecord& record, uint64_t position);

  uint64_t begin_offset() const { return begin_offset_; }
  uint64_t end_offset() const { return end_offset_; }
  uint64_t end_position() const { return end_position_; }
  HybridTime newest() const { return newest_; }  // the greatest time
  size_t entries() const { return entries_.size(); }

  // At or before the record that holds `offset`.
  uint64_t PositionOf(uint64_t offset) const;
  // The offset of a record at or before the first one of `time` or later.
  uint64_t OffsetBefore(HybridTime time) const;

 private:
  struct Entry {
    uint64_t offset = 0;
    uint64_t position = 0;
    HybridTime newest_before;  // the greatest time of all records before this one
  };

  uint64_t begin_offset_;
  uint64_t end_offset_;
  uint64_t end_position_;
  HybridTime newest_;
  std::vector<Entry> entries_;
};

}  // namespace meridian::store
