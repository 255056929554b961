// A rate by a token bucket (RFC 2697's committed one, in debt): bytes may go at once as long as the
// bucket has tokens, then as fast as tokens come. Pure; one per direction of a link.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::lab {

class TokenBucket {
 public:
  // What may go at once after a pause, however low the rate.
  static constexpr size_t kBurstBytes = size_t{16} * 1024;

  // In bits a second; 0: as fast as they come. What has been taken is forgotten.
  void SetRate(uint64_t bits_per_second) {
    bits_per_second_ = bits_per_second;
    spent_until_ = kLongAgo;
  }
  // When all that was taken has gone.
  TimePoint spent_until() const { return spent_until_; }
  uint64_t rate() const { return bits_per_second_; }

  // Takes tokens for `bytes`: when the last of them has gone, after all that were taken before.
  TimePoint Take(size_t bytes, TimePoint now) {
    if (bits_per_second_ == 0) return now;
    spent_until_ = std::max(spent_until_, now - TimeFor(kBurstBytes)) + TimeFor(bytes);
    return std::max(now, spent_until_);
  }

 private:
  // Far from the ends of time: subtracting from it does not wrap around.
  static constexpr TimePoint kLongAgo{};

  Duration TimeFor(size_t bytes) const {
    double seconds = static_cast<double>(bytes) * 8 / static_cast<double>(bits_per_second_);
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
  }

  uint64_t bits_per_second_ = 0;
  TimePoint spent_until_ = kLongAgo;
};

}  // namespace meridian::lab
