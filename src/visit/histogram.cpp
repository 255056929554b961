#include "visit/histogram.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::visit {
namespace {

// Adds with a single writer, cheaper than an atomic read-modify-write.
template <class Int>
void AddTo(std::atomic<Int>& to, Int amount) {
  to.store(to.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}

uint64_t Microseconds(Duration value) {
  auto count = std::chrono::ceil<std::chrono::microseconds>(value).count();
  return static_cast<uint64_t>(std::max(count, decltype(count){0}));
}

}  // namespace

// Bucket indices: below 2^kSubBits one to each microsecond; above, the top kSubBits bits after the
// first.
size_t Histogram::BucketOf(uint64_t microseconds) {
  constexpr uint64_t kLinear = uint64_t{1} << kSubBits;
  if (microseconds < kLinear) return microseconds;
  auto shift = static_cast<int>(std::bit_width(microseconds)) - 1 - kSubBits;
  size_t bucket = (static_cast<size_t>(shift) << kSubBits) + (microseconds >> shift);
  return std::min(bucket, kBuckets - 1);
}

uint64_t Histogram::UpperBound(size_t bucket) {
  constexpr uint64_t kLinear = uint64_t{1} << kSubBits;
  if (bucket < kLinear) return bucket;
  size_t shift = (bucket >> kSubBits) - 1;
  uint64_t top = bucket - (shift << kSubBits);
  return ((top + 1) << shift) - 1;
}

void Histogram::Add(Duration value) {
  AddTo(buckets_[BucketOf(Microseconds(value))], uint64_t{1});
  AddTo(count_, uint64_t{1});
  AddTo(sum_ns_, value.count());
}

Duration Histogram::Quantile(double quantile) const {
  uint64_t total = count();
  if (total == 0) return Duration::zero();
  auto wanted = static_cast<uint64_t>(std::ceil(quantile * static_cast<double>(total)));
  wanted = std::clamp(wanted, uint64_t{1}, total);
  uint64_t seen = 0;
  for (size_t bucket = 0; bucket < kBuckets; ++bucket) {
    seen += buckets_[bucket].load(std::memory_order_relaxed);
    if (seen >= wanted) return std::chrono::microseconds(UpperBound(bucket));
  }
  return std::chrono::microseconds(UpperBound(kBuckets - 1));
}

void Histogram::Merge(const Histogram& other) {
  for (size_t bucket = 0; bucket < kBuckets; ++bucket) {
    AddTo(buckets_[bucket], other.buckets_[bucket].load(std::memory_order_relaxed));
  }
  AddTo(count_, other.count());
  AddTo(sum_ns_, other.sum().count());
}

}  // namespace meridian::visit
