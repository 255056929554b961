#include "io/timer.hpp"

#include <algorithm>
#include <cstddef>

#include "base/check.hpp"
#include "base/clock.hpp"

namespace meridian::io {

constexpr size_t kArity = 4;

Timer::~Timer() { CHECK(!armed()); }

void TimerHeap::Place(Timer* timer, size_t index) {
  heap_[index] = timer;
  timer->index_ = index;
}

void TimerHeap::SiftUp(size_t index) {
  Timer* timer = heap_[index];
  while (index > 0) {
    size_t parent = (index - 1) / kArity;
    if (heap_[parent]->when_ <= timer->when_) break;
    Place(heap_[parent], index);
    index = parent;
  }
  Place(timer, index);
}

void TimerHeap::SiftDown(size_t index) {
  Timer* timer = heap_[index];
  for (;;) {
    size_t first = index * kArity + 1;
    if (first >= heap_.size()) break;
    size_t last = std::min(first + kArity, heap_.size());
    size_t least = first;
    for (size_t child = first + 1; child < last; ++child) {
      if (heap_[child]->when_ < heap_[least]->when_) least = child;
    }
    if (heap_[least]->when_ >= timer->when_) break;
    Place(heap_[least], index);
    index = least;
  }
  Place(timer, index);
}

void TimerHeap::Arm(Timer& timer, TimePoint when) {
  timer.when_ = when;
  if (!timer.armed()) {
    heap_.push_back(&timer);
    timer.index_ = heap_.size() - 1;
  }
  SiftUp(timer.index_);
  SiftDown(timer.index_);
}

void TimerHeap::Disarm(Timer& timer) {
  if (!timer.armed()) return;
  size_t index = timer.index_;
  Timer* last = heap_.back();
  heap_.pop_back();
  timer.index_ = Timer::kUnarmed;
  if (last == &timer) return;
  Place(last, index);
  SiftUp(index);
  SiftDown(last->index_);
}

void TimerHeap::Fire(TimePoint now) {
  // Bounds the loop: a timer may arm itself again for a past time.
  size_t most = heap_.size();
  while (most-- > 0 && !heap_.empty() && heap_.front()->when_ <= now) {
    Timer* due = heap_.front();
    Disarm(*due);
    due->OnTimer();
  }
}

}  // namespace meridian::io
