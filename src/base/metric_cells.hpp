// The cells in which metrics count. A cell has one writing thread: adding is a plain load and
// store, without the cost of an atomic read-modify-write. Readers on other threads never see a
// partial number. When several threads count the same series, each has its own cell, and the reader
// sums the cells (Metrics::AddPart). Adding never allocates.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian {

class Counter {
 public:
  void Add(uint64_t amount = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }
  void Reset() { value_.store(0, std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_ = 0;
};

class Gauge {
 public:
  void Set(double value) { value_.store(value, std::memory_order_relaxed); }
  void Add(double amount) { Set(value() + amount); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_ = 0;
};

// The upper bounds of every histogram's buckets, from the duration of a command in memory to the
// longest wait of a visitor.
inline constexpr auto kDurationBounds = [] {
  using std::chrono::microseconds;
  using std::chrono::milliseconds;
  return std::to_array<Duration>({
      microseconds{10},   microseconds{25},    microseconds{50},   microseconds{100},
      microseconds{250},  microseconds{500},   milliseconds{1},    microseconds{2500},
      milliseconds{5},    milliseconds{10},    milliseconds{25},   milliseconds{50},
      milliseconds{75},   milliseconds{100},   milliseconds{250},  milliseconds{500},
      milliseconds{750},  milliseconds{1000},  milliseconds{2500}, milliseconds{5000},
      milliseconds{7500}, milliseconds{10000},
  });
}();
static_assert(std::ranges::is_sorted(kDurationBounds));

// Durations by kDurationBounds; the last bucket counts all longer durations.
class DurationHistogram {
 public:
  static constexpr size_t kBuckets = kDurationBounds.size() + 1;

  void Add(Duration value, uint64_t times = 1) {
    size_t bucket = 0;  // most durations are short
    while (bucket < kDurationBounds.size() && value > kDurationBounds[bucket]) ++bucket;
    buckets_[bucket].Add(times);
    sum_ns_.Add(static_cast<uint64_t>(std::max(value, Duration::zero()).count()) * times);
  }
  // The count of this bucket alone, not cumulative.
  uint64_t count(size_t bucket) const { return buckets_[bucket].value(); }
  Duration sum() const { return Duration(static_cast<Duration::rep>(sum_ns_.value())); }
  void Reset() {
    for (Counter& bucket : buckets_) bucket.Reset();
    sum_ns_.Reset();
  }

 private:
  std::array<Counter, kBuckets> buckets_;
  Counter sum_ns_;
};

}  // namespace meridian
