// A latency histogram: counts in log-linear buckets (16 for each power of two, so the error is at
// most 1/16), from 1 µs to over an hour. Adding costs a few instructions and never allocates. One
// writer; readers on other threads see each count whole.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::visit {

class Histogram {
 public:
  void Add(Duration value);

  uint64_t count() const { return count_.load(std::memory_order_relaxed); }
  // The sum of all values.
  Duration sum() const { return Duration(sum_ns_.load(std::memory_order_relaxed)); }
  // The smallest bucket bound that at least `quantile` (0 to 1) of the values do not exceed; zero
  // if empty.
  Duration Quantile(double quantile) const;
  void Merge(const Histogram& other);

 private:
  static constexpr int kSubBits = 4;
  static constexpr size_t kBuckets = 29 << kSubBits;
  static size_t BucketOf(uint64_t microseconds);
  static uint64_t UpperBound(size_t bucket);

  std::array<std::atomic<uint64_t>, kBuckets> buckets_{};
  std::atomic<uint64_t> count_ = 0;
  std::atomic<int64_t> sum_ns_ = 0;
};

}  // namespace meridian::visit
