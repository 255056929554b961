// RecentPositions: where in the segments some offsets are: of batches appended lately, and where
// reads ended lately. A reader that continues there needs no scan. Pure; owned by a PartitionLog.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "queue/partition/limits.hpp"
#include "queue/partition/segment.hpp"

namespace meridian::queue {

class RecentPositions {
 public:
  // The batch at `position` of the segment with `base_offset` is the first that has `offset` or a
  // higher one.
  struct Place {
    int64_t offset = 0;
    int64_t base_offset = 0;
    uint32_t generation = 0;  // of the segment: a read of a replaced one may end late
    uint64_t position = 0;
  };

  void Add(const Place& place) {
    if (places_.size() < kRecentPositions) return places_.push_back(place);
    places_[next_] = place;
    next_ = (next_ + 1) % kRecentPositions;
  }
  std::optional<uint64_t> Find(int64_t offset, const SegmentPosition& segment) const {
    for (const Place& place : places_) {
      if (place.offset == offset && place.base_offset == segment.base_offset &&
          place.generation == segment.generation)
        return place.position;
    }
    return std::nullopt;
  }
  void Clear() {
    places_.clear();
    next_ = 0;
  }

 private:
  std::vector<Place> places_;
  size_t next_ = 0;  // the one that is replaced next
};

}  // namespace meridian::queue
