#include "queue/state/epoch_history.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "queue/state/limits.hpp"

namespace meridian::queue {

void EpochHistory::Add(int32_t epoch, int64_t base_offset) {
  if (!starts_.empty() && starts_.back().epoch >= epoch) return;
  if (starts_.size() == kMaxEpochs) starts_.erase(starts_.begin());
  starts_.push_back({epoch, base_offset});
}

void EpochHistory::TrimBelow(int64_t log_start_offset) {
  // The last epoch that begins at or below the log's start is that of its first record.
  auto above = std::ranges::upper_bound(starts_, log_start_offset, {}, &EpochStart::start_offset);
  if (above == starts_.begin()) return;
  auto first = std::prev(above);
  first->start_offset = log_start_offset;
  starts_.erase(starts_.begin(), first);
}

EpochEnd EpochHistory::EndOf(int32_t epoch, int64_t log_end_offset) const {
  auto later = std::ranges::upper_bound(starts_, epoch, {}, &EpochStart::epoch);
  if (later == starts_.begin()) return {};
  return {std::prev(later)->epoch, later == starts_.end() ? log_end_offset : later->start_offset};
}

}  // namespace meridian::queue
