// Loop: one thread's scheduler of fibers and timers. Behind it stands a Driver, which knows the
// time and waits for events: epoll in the real program (io/epoll.hpp), a simulated world in tests.
//
// Each turn lets the driver wait, fires due timers, then runs the fibers that are ready, and last
// those of them that have let the others go first. Event handlers only mark fibers ready: no user
// code runs inside the driver, so none can free what it is using.
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
  // Waits for events until `until` (kNever: for ever; the past: not at all) and marks fibers ready.
  virtual void Wait(TimePoint until) = 0;
  // Ends a Wait or Pause that goes on or comes next. Any thread.
  virtual void Wake() = 0;
  // Passes time without looking for events, `most` of it. Where no time passes by itself: none.
  virtual void Pause(Duration /*most*/) {}
};

class Loop {
 public:
  explicit Loop(Driver& driver) : driver_(driver), now_(driver.Now()) {}
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  Driver& driver() const { return driver_; }
  // The time when this turn began: cheap, and the same for all that happens in a turn.
  TimePoint Now() const { return now_; }
  TimePoint After(Duration duration) const { return SaturatingAdd(now_, duration); }
  WallTime Wall() const { return driver_.Wall(); }
  TimerHeap& timers() { return timers_; }
  // When a turn would find something to do: the past when fibers are ready, kNever without any
  // fiber or timer. For who drives several loops (io/sim).
  TimePoint NextWork() const {
    bool ready = !ready_.empty() || has_posted_.load(std::memory_order_acquire);
    return ready ? TimePoint::min() : timers_.Next();
  }

  // Runs iterations until Stop.
  void Run();
  // Any thread.
  void Stop();
  // One turn; waits at most until `until`.
  void RunIteration(TimePoint until);
  // Calls `work` on the loop's thread at a later turn. Any thread.
  void Post(std::function<void()> work);

  void Schedule(Fiber& fiber);
  // The same for a fiber that runs, which comes once more in this turn, after all others of it. In
  // the part of the turn that is for those: at the next.
  void ScheduleLate(Fiber& fiber);
  // Whether others have still to run in this turn.
  bool others_ready() const { return next_in_iteration_ != nullptr || !late_.empty(); }
  // While one lives, events that come thick and fast are looked for all together, every
  // kMaxPause: for when most of those who come would have to wait anyhow. A turn of few events
  // costs little less than one of many.
  class EventBatching {
   public:
    explicit EventBatching(Loop& loop) : loop_(loop) { ++loop_.event_batchings_; }
    EventBatching(const EventBatching&) = delete;
    EventBatching& operator=(const EventBatching&) = delete;
    ~EventBatching() { --loop_.event_batchings_; }

    // Whether they have come so of late.
    bool in_burst() const { return loop_.in_burst_; }

   private:
    Loop& loop_;
  };
  // Each awaitable that could finish without waiting takes one unit; when a fiber has used up its
  // units it must Yield, so that a peer that is always ready does not starve the others.
  bool TakeBudget() { return budget_-- > 0; }

  // Runs `task` as a fiber of its own until it ends: for main functions and tests.
  template <class T>
  T RunToEnd(Task<T> task);

 private:
  static constexpr int kBudgetPerResume = 64;
  static constexpr Duration kMaxPause = std::chrono::microseconds{100};
  // Events that have come this soon after those before are thick and fast.
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
