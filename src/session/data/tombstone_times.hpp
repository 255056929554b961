// TombstoneTimes: between which times the tombstones of a collection were made, and how far the
// collection was walked to drop those that no data center needs. Pure; owned by a Collection.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/hybrid_clock.hpp"

namespace meridian::session {

class TombstoneTimes {
 public:
  void Add(HybridTime time) {
    oldest_ = std::min(oldest_, time);
    rest_oldest_ = std::min(rest_oldest_, time);
    newest_ = std::max(newest_, time);
  }
  void Clear() { *this = {}; }
  // Zero when there are none. That tombstone may have been dropped since.
  HybridTime newest() const { return newest_; }
  // Max when there are none. That tombstone may have been dropped since.
  HybridTime oldest() const { return oldest_; }

  uint64_t cursor() const { return cursor_; }
  // A walk has reached `cursor`, which is 0 at its end; it has passed to Keep what it did not drop.
  void Advance(uint64_t cursor) {
    cursor_ = cursor;
    if (cursor == 0) oldest_ = std::exchange(rest_oldest_, HybridTime::Max());
  }
  void Keep(HybridTime time) { rest_oldest_ = std::min(rest_oldest_, time); }

 private:
  HybridTime newest_;
  HybridTime oldest_ = HybridTime::Max();
  // Of the tombstones that this walk has kept, and of those made since it began.
  HybridTime rest_oldest_ = HybridTime::Max();
  uint64_t cursor_ = 0;
};

}  // namespace meridian::session
