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

void EpochHistory::TrimFrom(int64_t end_offset) {
  while (!starts_.empty() && starts_.back().start_offset >= end_offset) starts_.pop_back();
}

EpochEnd EpochHistory::EndOf(int32_t epoch, int64_t log_end_offset) const {
  auto later = std::ranges::upper_bound(starts_, epoch, {}, &EpochStart::epoch);
  if (later == starts_.begin()) return {};
  return {std::prev(later)->epoch, later == starts_.end() ? log_end_offset : later->start_offset};
}

int64_t EpochHistory::CommonEnd(int64_t end_offset, const EpochHistory& home,
                                int64_t home_end_offset) const {
  if (starts_.empty()) return end_offset;
  int32_t epoch = last_epoch();
  for (;;) {
    const EpochEnd own_end = EndOf(epoch, end_offset);
    const EpochEnd home_end = home.EndOf(epoch, home_end_offset);
    if (home_end.epoch == epoch) return std::min(own_end.end_offset, home_end.end_offset);
    // The home has no batch of this epoch: look at the last epoch before it that both may have.
    const EpochEnd earlier = EndOf(home_end.epoch, end_offset);
    if (home_end.epoch < 0 || earlier.epoch < 0) return starts_.front().start_offset;
    epoch = earlier.epoch;
  }
}

}  // namespace meridian::queue
