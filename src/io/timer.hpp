// Timers of one loop: an intrusive 4-ary heap ordered by time. One thread: the loop's. A timer is a
// member of the object that it wakes, so arming allocates nothing once the heap has grown.
#pragma once

#include <cstddef>
#include <vector>

#include "base/clock.hpp"

namespace meridian::io {

class TimerHeap;

class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  bool armed() const { return index_ != kUnarmed; }
  TimePoint when() const { return when_; }

 protected:
  ~Timer();
  // Called on the loop's thread at or after `when()`. The timer is already disarmed and may be
  // armed again.
  virtual void OnTimer() = 0;

 private:
  friend class TimerHeap;
  static constexpr size_t kUnarmed = SIZE_MAX;
  TimePoint when_{};
  size_t index_ = kUnarmed;
};

class TimerHeap {
 public:
  // Arms the timer, or moves it if it is armed.
  void Arm(Timer& timer, TimePoint when);
  void Disarm(Timer& timer);
  // The time of the next timer; kNever without timers.
  TimePoint Next() const { return heap_.empty() ? kNever : heap_.front()->when_; }
  // Fires every timer due at `now`. Timers armed meanwhile for `now` or before fire in the next
  // call.
  void Fire(TimePoint now);

 private:
  void Place(Timer* timer, size_t index);
  void SiftUp(size_t index);
  void SiftDown(size_t index);

  std::vector<Timer*> heap_;
};

}  // namespace meridian::io
