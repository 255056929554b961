#include "io/sim/event_queue.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/check.hpp"
#include "base/clock.hpp"

namespace meridian::io::sim {

void EventQueue::Add(TimePoint when, Action action) {
  uint32_t slot = 0;
  if (free_.empty()) {
    slot = static_cast<uint32_t>(actions_.size());
    actions_.push_back(std::move(action));
  } else {
    slot = free_.back();
    free_.pop_back();
    actions_[slot] = std::move(action);
  }
  heap_.push_back({when, next_sequence_++, slot});
  std::ranges::push_heap(heap_, After);
}

Action EventQueue::TakeFirst() {
  CHECK(!heap_.empty());
  std::ranges::pop_heap(heap_, After);
  uint32_t slot = heap_.back().slot;
  heap_.pop_back();
  free_.push_back(slot);
  return std::exchange(actions_[slot], Action());
}

void EventQueue::Clear() {
  heap_.clear();
  actions_.clear();
  free_.clear();
}

}  // namespace meridian::io::sim
