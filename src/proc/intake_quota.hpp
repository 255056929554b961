// IntakeQuota: how many bytes a second one source may store, so that a process that logs without
// end does not push away the lines of others. A token bucket. Pure; owned by its source's reader;
// one thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::proc {

struct IntakeLimits {
  uint64_t bytes_per_second = uint64_t{1} * 1024 * 1024;
  uint64_t burst_bytes = uint64_t{16} * 1024 * 1024;
};

class IntakeQuota {
 public:
  explicit IntakeQuota(IntakeLimits limits)
      : limits_(limits), left_(static_cast<double>(limits.burst_bytes)) {}

  const IntakeLimits& limits() const { return limits_; }

  // Whether `bytes` more may be stored now; they are charged then. While anything is left, a line
  // of any length may be: what it takes too much is missing afterwards.
  bool Take(size_t bytes, TimePoint now) {
    if (now > filled_) {
      double added = filled_ == TimePoint::min()
                         ? 0
                         : Seconds(now - filled_) * static_cast<double>(limits_.bytes_per_second);
      left_ = std::min(left_ + added, static_cast<double>(limits_.burst_bytes));
      filled_ = now;
    }
    if (left_ <= 0) return false;
    left_ -= static_cast<double>(bytes);
    return true;
  }

 private:
  IntakeLimits limits_;
  double left_;
  TimePoint filled_ = TimePoint::min();
};

}  // namespace meridian::proc
