// EventQueue: future events of a simulated world, ordered by time and then by insertion, so that
// the order depends only on the seed. Owned by the World; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/clock.hpp"

namespace meridian::io::sim {

using Action = std::move_only_function<void()>;

class EventQueue {
 public:
  void Add(TimePoint when, Action action);
  // The time of the first event; kNever when the queue is empty.
  TimePoint Next() const { return heap_.empty() ? kNever : heap_.front().when; }
  // Removes and returns the first action. The queue must not be empty.
  Action TakeFirst();
  void Clear();

 private:
  struct ScheduledEvent {
    TimePoint when;
    uint64_t sequence;
    uint32_t slot;  // index of its action: the heap moves events, but not actions
  };
  static bool After(const ScheduledEvent& a, const ScheduledEvent& b) {
    return a.when != b.when ? a.when > b.when : a.sequence > b.sequence;
  }

  std::vector<ScheduledEvent> heap_;
  std::vector<Action> actions_;
  std::vector<uint32_t> free_;
  uint64_t next_sequence_ = 0;
};

}  // namespace meridian::io::sim
