#include "io/loop.hpp"

#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "io/fiber.hpp"

namespace meridian::io {

void Loop::Run() {
  while (!stopped_.load(std::memory_order_relaxed)) RunIteration(kNever);
  stopped_ = false;
}

void Loop::Stop() {
  stopped_ = true;
  driver_.Wake();
}

void Loop::RunIteration(TimePoint until) {
  bool idle = ready_.empty() && !stopped_.load(std::memory_order_relaxed);
  until = idle ? std::min(until, timers_.Next()) : now_;
  if (event_batchings_ > 0) {
    WaitForBurst(until);
  } else {
    driver_.Wait(until);
  }
  now_ = driver_.Now();
  timers_.Fire(now_);
  if (has_posted_.load(std::memory_order_acquire)) RunPosted();
  RunReady();
}

// Waits for events. During a burst it pauses first, so that several events arrive: after a short
// wait, or after a pause in which several events arrived.
void Loop::WaitForBurst(TimePoint until) {
  TimePoint begin = driver_.Now();
  bool pauses = in_burst_ && until > begin;
  if (pauses) driver_.Pause(std::min(kMaxPause, until - begin));
  driver_.Wait(until);
  // Only events count here, not posted work.
  bool one = !ready_.empty();
  bool several = one && ready_.head->next_ready_ != nullptr;
  in_burst_ = pauses ? several : one && driver_.Now() - begin < kBurstInterval;
}

void Loop::Queue::Push(Fiber& fiber) {
  fiber.next_ready_ = nullptr;
  (tail == nullptr ? head : tail->next_ready_) = &fiber;
  tail = &fiber;
}

void Loop::Schedule(Fiber& fiber) { ready_.Push(fiber); }

void Loop::ScheduleLate(Fiber& fiber) { (runs_late_ ? ready_ : late_).Push(fiber); }

// Fibers that become ready meanwhile run in the next iteration, after the driver's Wait.
void Loop::RunReady() {
  RunAll(ready_);
  runs_late_ = true;
  RunAll(late_);
  runs_late_ = false;
}

void Loop::RunAll(Queue& queue) {
  Fiber* fiber = std::exchange(queue, {}).head;
  while (fiber != nullptr) {
    next_in_iteration_ = fiber->next_ready_;
    budget_ = kBudgetPerResume;
    fiber->Resume();
    fiber = next_in_iteration_;
  }
}

void Loop::Post(std::function<void()> work) {
  bool first;
  {
    std::lock_guard lock(posted_mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(work));
    has_posted_.store(true, std::memory_order_release);
  }
  if (first) driver_.Wake();  // whoever posted the first work has woken the loop
}

void Loop::RunPosted() {
  std::vector<std::function<void()>> posted;
  {
    std::lock_guard lock(posted_mutex_);
    posted.swap(posted_);
    has_posted_.store(false, std::memory_order_relaxed);
  }
  for (auto& work : posted) work();
}

}  // namespace meridian::io
