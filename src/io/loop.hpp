// Loop: one thread's scheduler of fibers and timers. Its Driver gives the time and waits for
// events: epoll in the real program (io/epoll.hpp), a simulated world in tests.
//
// Each loop iteration calls the driver's Wait, fires due timers, runs the ready fibers, and last
// the fibers that let the others run first. Event handlers only mark fibers ready: no user code
// runs inside the driver, so none can free an object that the driver uses.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/timer.hpp"

namespace meridian::io {

class Driver : public Clock {
 public:
  // Waits for events until `until` (kNever: without limit; a past time: not at all) and marks
  // fibers ready.
  virtual void Wait(TimePoint until) = 0;
  // Ends the current or next Wait or Pause. Any thread.
  virtual void Wake() = 0;
  // Sleeps at most `most` without polling events. Does nothing where time is simulated.
  virtual void Pause(Duration /*most*/) {}
};

class Loop {
 public:
  explicit Loop(Driver& driver) : driver_(driver), now_(driver.Now()) {}
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  Driver& driver() const { return driver_; }
  // The time at which this loop iteration began: cheap, and constant within an iteration.
  TimePoint Now() const { return now_; }
  TimePoint After(Duration duration) const { return SaturatingAdd(now_, duration); }
  WallTime Wall() const { return driver_.Wall(); }
  TimerHeap& timers() { return timers_; }
  // When the next iteration has work: a past time when fibers are ready, kNever without any fiber
  // or timer. For a driver of several loops (io/sim).
  TimePoint NextWork() const {
    bool ready = !ready_.empty() || has_posted_.load(std::memory_order_acquire);
    return ready ? TimePoint::min() : timers_.Next();
  }

  // Runs loop iterations until Stop.
  void Run();
  // Any thread.
  void Stop();
  // Runs one loop iteration; waits at most until `until`.
  void RunIteration(TimePoint until);
  // Calls `work` on the loop's thread in a later iteration. Any thread.
  void Post(std::function<void()> work);

  void Schedule(Fiber& fiber);
  // Schedules a running fiber once more in this iteration, after all others. When called by a fiber
  // that was itself scheduled late, the fiber runs in the next iteration.
  void ScheduleLate(Fiber& fiber);
  // Whether other fibers have yet to run in this iteration.
  bool others_ready() const { return next_in_iteration_ != nullptr || !late_.empty(); }
  // While an EventBatching object exists, the loop polls events that arrive in bursts once every
  // kMaxPause and handles them as one batch. For times when most of the events would wait anyhow:
  // an iteration with few events costs almost as much as one with many.
  class EventBatching {
   public:
    explicit EventBatching(Loop& loop) : loop_(loop) { ++loop_.event_batchings_; }
    EventBatching(const EventBatching&) = delete;
    EventBatching& operator=(const EventBatching&) = delete;
    ~EventBatching() { --loop_.event_batchings_; }

    // Whether recent events arrived in a burst.
    bool in_burst() const { return loop_.in_burst_; }

   private:
    Loop& loop_;
  };
  // Each awaitable that could finish without waiting takes one unit. A fiber without units left
  // must Yield, so that a peer that is always ready does not starve other fibers.
  bool TakeBudget() { return budget_-- > 0; }

  // Runs iterations until `task`, in a fiber of its own, ends: for main functions and tests.
  template <class T>
  T RunToEnd(Task<T> task);

 private:
  static constexpr int kBudgetPerResume = 64;
  static constexpr Duration kMaxPause = std::chrono::microseconds{100};
  // Events this soon after the last ones form a burst.
  static constexpr Duration kBurstInterval = kMaxPause / 4;
  struct Queue {
    Fiber* head = nullptr;
    Fiber* tail = nullptr;

    bool empty() const { return head == nullptr; }
    void Push(Fiber& fiber);
  };
  void WaitForBurst(TimePoint until);
  void RunReady();
  void RunAll(Queue& queue);
  void RunPosted();

  Driver& driver_;
  TimePoint now_;
  TimerHeap timers_;
  Queue ready_;
  int budget_ = kBudgetPerResume;
  std::atomic<bool> stopped_ = false;
  std::atomic<bool> has_posted_ = false;
  std::mutex posted_mutex_;
  std::vector<std::function<void()>> posted_;
  Queue late_;
  int event_batchings_ = 0;
  bool in_burst_ = false;
  bool runs_late_ = false;
  Fiber* next_in_iteration_ = nullptr;
};

namespace internal {

template <class T>
Task<void> Store(Task<T> task, std::optional<T>* into) {
  into->emplace(co_await std::move(task));
}
inline Task<void> Store(Task<void> task, std::optional<char>* into) {
  co_await std::move(task);
  into->emplace();
}

}  // namespace internal

template <class T>
T Loop::RunToEnd(Task<T> task) {
  std::optional<std::conditional_t<std::is_void_v<T>, char, T>> value;
  Scope scope(*this);
  scope.Spawn(internal::Store(std::move(task), &value));
  while (!scope.empty()) RunIteration(kNever);
  if constexpr (!std::is_void_v<T>) return std::move(*value);
}

}  // namespace meridian::io
