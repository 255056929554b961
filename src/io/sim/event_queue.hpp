// EventQueue: what will happen in a simulated world, ordered by time and then by when it was said,
// so that the order never depends on anything but the seed. Owned by the World; one thread.
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
  // When the first is due; kNever when there is none.
  TimePoint Next() const { return heap_.empty() ? kNever : heap_.front().when; }
  // There must be one.
  Action TakeFirst();
  void Clear();

 private:
  struct ScheduledEvent {
    TimePoint when;
    uint64_t sequence;
    uint32_t slot;  // of its action: entries are moved about in the heap, actions are not
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
