// EpochHistory: where each leader epoch of a partition begins, for OffsetForLeaderEpoch (KIP-101,
// KIP-320). Pure. Owned by a PartitionState. Invariant: epochs and offsets ascend.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace meridian::queue {

struct EpochStart {
  int32_t epoch = 0;
  int64_t start_offset = 0;
  bool operator==(const EpochStart&) const = default;
};

struct EpochEnd {
  int32_t epoch = -1;       // the greatest known one that is at most the requested one; -1: none
  int64_t end_offset = -1;  // the offset behind its last record
  bool operator==(const EpochEnd&) const = default;
};

class EpochHistory {
 public:
  // A batch of this epoch was appended.
  void Add(int32_t epoch, int64_t base_offset);
  // The log begins at this offset now.
  void TrimBelow(int64_t log_start_offset);
  EpochEnd EndOf(int32_t epoch, int64_t log_end_offset) const;
  std::span<const EpochStart> starts() const { return starts_; }

 private:
  std::vector<EpochStart> starts_;
};

}  // namespace meridian::queue
