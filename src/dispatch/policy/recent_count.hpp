// RecentCount: the number of events in the last ten seconds, in steps of a second. Pure: it gets
// the time of each event; a time before the latest counts as the latest.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "base/clock.hpp"

namespace meridian::dispatch {

class RecentCount {
 public:
  static constexpr int64_t kSeconds = 10;

  void Add(TimePoint now, uint64_t events = 1) {
    Advance(now);
    slots_[static_cast<size_t>(second_ % kSeconds)] += events;
    total_ += events;
  }

  uint64_t At(TimePoint now) {
    Advance(now);
    return total_;
  }

  void Clear() {
    slots_.fill(0);
    total_ = 0;
  }

 private:
  // Drops the seconds that are older than the window.
  void Advance(TimePoint now) {
    int64_t second =
        std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    if (second <= second_) return;
    if (second - second_ >= kSeconds) Clear();
    for (int64_t gone = second_ + 1; gone <= second && total_ > 0; ++gone) {
      uint64_t& slot = slots_[static_cast<size_t>(gone % kSeconds)];
      total_ -= slot;
      slot = 0;
    }
    second_ = second;
  }

  std::array<uint64_t, kSeconds> slots_{};
  uint64_t total_ = 0;
  int64_t second_ = 0;
};

}  // namespace meridian::dispatch
