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
  // The log ends at this offset now.
  void TrimFrom(int64_t end_offset);
  EpochEnd EndOf(int32_t epoch, int64_t log_end_offset) const;
  // Up to where a log with this history, which ends at `end_offset`, has the same batches as the
  // log of the home, of which the history and the end are given (KIP-101, KIP-279). Where that is
  // not known, an earlier offset.
  int64_t CommonEnd(int64_t end_offset, const EpochHistory& home, int64_t home_end_offset) const;
  std::span<const EpochStart> starts() const { return starts_; }
  // Of the newest batch; -1: there is none.
  int32_t last_epoch() const { return starts_.empty() ? -1 : starts_.back().epoch; }

 private:
  std::vector<EpochStart> starts_;
};

}  // namespace meridian::queue
