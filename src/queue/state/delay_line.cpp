#include "queue/state/delay_line.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace meridian::queue {
namespace {

constexpr int64_t kEntriesPerDelay = 1'000;

// Up to the next multiple of `step`.
int64_t RoundUp(int64_t value, int64_t step) { return (value + step - 1) / step * step; }

}  // namespace

void DelayLine::Add(int64_t base_offset, int64_t next_offset, int64_t appended_ms,
                    int64_t delay_ms) {
  while (!entries_.empty() && entries_.front().appended_ms + delay_ms <= appended_ms) {
    begin_offset_ = entries_.front().next_offset;
    entries_.pop_front();
  }
  const int64_t step = std::max<int64_t>(RoundUp(delay_ms, kEntriesPerDelay) / kEntriesPerDelay, 1);
  int64_t bucket = RoundUp(appended_ms, step);
  if (entries_.empty()) begin_offset_ = base_offset;
  if (!entries_.empty()) bucket = std::max(bucket, entries_.back().appended_ms);
  const bool same = !entries_.empty() && entries_.back().appended_ms == bucket;
  if (same || entries_.size() == kMaxDelayEntries) {
    entries_.back() = {.appended_ms = bucket, .next_offset = next_offset};
  } else {
    entries_.push_back({.appended_ms = bucket, .next_offset = next_offset});
  }
}

void DelayLine::CutFrom(int64_t offset) {
  while (!entries_.empty() && entries_.back().next_offset > offset) {
    const Entry last = entries_.back();
    entries_.pop_back();
    const int64_t begin = entries_.empty() ? begin_offset_ : entries_.back().next_offset;
    if (begin < offset)
      entries_.push_back({.appended_ms = last.appended_ms, .next_offset = offset});
  }
}

int64_t DelayLine::VisibleEnd(int64_t now_ms, int64_t delay_ms, int64_t end_offset) const {
  auto hidden = std::ranges::upper_bound(entries_, now_ms - delay_ms, {}, &Entry::appended_ms);
  if (hidden == entries_.end()) return end_offset;
  if (hidden == entries_.begin()) return std::min(begin_offset_, end_offset);
  return std::min((hidden - 1)->next_offset, end_offset);
}

std::optional<int64_t> DelayLine::NextVisibleMs(int64_t now_ms, int64_t delay_ms) const {
  auto hidden = std::ranges::upper_bound(entries_, now_ms - delay_ms, {}, &Entry::appended_ms);
  if (hidden == entries_.end()) return std::nullopt;
  return hidden->appended_ms + delay_ms;
}

void DelayLine::Restore(Entry entry) {
  if (entries_.size() == kMaxDelayEntries) return;
  bool ascends = entries_.empty() || (entry.appended_ms >= entries_.back().appended_ms &&
                                      entry.next_offset > entries_.back().next_offset);
  if (ascends) entries_.push_back(entry);
}

}  // namespace meridian::queue
