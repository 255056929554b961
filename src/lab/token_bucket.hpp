// A rate limit by a token bucket (RFC 2697's committed bucket, but with debt): bytes leave at once
// while the bucket has tokens, then at the rate of new tokens. Pure; each direction of a link has
// one.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::lab {

class TokenBucket {
 public:
  // The burst after a pause, independent of the rate.
  static constexpr size_t kBurstBytes = size_t{16} * 1024;

  // In bits a second; 0: unlimited. Clears the debt.
  void SetRate(uint64_t bits_per_second) {
    bits_per_second_ = bits_per_second;
    spent_until_ = kLongAgo;
  }
  // The time at which the last taken byte has left.
  TimePoint spent_until() const { return spent_until_; }
  uint64_t rate() const { return bits_per_second_; }

  // Takes tokens for `bytes`. Returns the time at which the last of them has left, after all
  // earlier bytes.
  TimePoint Take(size_t bytes, TimePoint now) {
    if (bits_per_second_ == 0) return now;
    spent_until_ = std::max(spent_until_, now - TimeFor(kBurstBytes)) + TimeFor(bytes);
    return std::max(now, spent_until_);
  }

 private:
  // Far from the limits of TimePoint, so that subtraction does not overflow.
  static constexpr TimePoint kLongAgo{};

  Duration TimeFor(size_t bytes) const {
    double seconds = static_cast<double>(bytes) * 8 / static_cast<double>(bits_per_second_);
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
  }

  uint64_t bits_per_second_ = 0;
  TimePoint spent_until_ = kLongAgo;
};

}  // namespace meridian::lab
