#include "cli/queue/partitioner.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace meridian::cli {

uint32_t Murmur2(std::string_view data) {
  constexpr uint32_t kSeed = 0x9747b28c;
  constexpr uint32_t kFactor = 0x5bd1e995;
  constexpr int kShift = 24;
  constexpr size_t kWordBytes = 4;
  auto byte = [&data](size_t index) { return uint32_t{static_cast<uint8_t>(data[index])}; };
  uint32_t hash = kSeed ^ static_cast<uint32_t>(data.size());
  size_t at = 0;
  for (; at + kWordBytes <= data.size(); at += kWordBytes) {
    uint32_t word = byte(at) | byte(at + 1) << 8 | byte(at + 2) << 16 | byte(at + 3) << 24;
    word *= kFactor;
    word ^= word >> kShift;
    hash = (hash * kFactor) ^ (word * kFactor);
  }
  if (at < data.size()) {
    for (size_t i = data.size(); i > at; --i) hash ^= byte(i - 1) << (8 * (i - 1 - at));
    hash *= kFactor;
  }
  hash ^= hash >> 13;
  hash *= kFactor;
  return hash ^ hash >> 15;
}

int32_t PartitionOfKey(std::string_view key, int32_t partitions) {
  return static_cast<int32_t>(Murmur2(key) & INT32_MAX) % partitions;
}

}  // namespace meridian::cli
