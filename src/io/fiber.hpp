// A Fiber is one logical thread of control on a loop: a spawned coroutine and the tasks it awaits,
// one inside the other. At any moment it runs, is ready to run, or waits for exactly one thing: its
// Waiter. That makes cancellation and deadlines simple: they interrupt the one waiter.
//
// Owned by the Scope that spawned it. One thread: its loop's.
// Invariants: a cancelled fiber never suspends on an interruptible wait again: every such await
// ends with kCancelled at once. A wait ends once: by its event, its deadline, or cancellation.
#pragma once

#include <coroutine>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/timer.hpp"

namespace meridian::io {

class Loop;
class Scope;

// What a suspended fiber waits for: the base of every awaitable that can take time.
class Waiter {
 public:
  // The wait is over early: kTimeout or kCancelled. Either leaves the place where it waits, keeps
  // the reason as its result and calls Fiber::Wake, or (work that cannot be undone) stays.
  virtual void Interrupt(Errc why) = 0;

 protected:
  ~Waiter() = default;
};

class Fiber final : public Timer {
 public:
  Fiber(Loop& loop, Scope& scope) : loop_(loop), scope_(scope) {}
  ~Fiber();

  Loop& loop() const { return loop_; }
  Scope& scope() const { return scope_; }
  bool cancelled() const { return cancelled_; }
  void Cancel();

  // Suspends `handle`, the innermost coroutine, until Wake; at `deadline` (or the limit set by
  // Within, if that is sooner) interrupts `waiter` with kTimeout. Arming is lazy: the usual wait
  // that ends well before its deadline costs no timer work.
  void Suspend(Waiter& waiter, std::coroutine_handle<> handle, TimePoint deadline);
  // Ends the wait: the loop resumes the fiber at its next turn.
  void Wake();
  // Lets the others run: suspends without a waiter and is ready at once.
  void Yield(std::coroutine_handle<> handle);
  // The same within the turn: see Loop::ScheduleLate.
  void YieldWithinIteration(std::coroutine_handle<> handle);

  TimePoint limit() const { return limit_; }
  void set_limit(TimePoint limit) { limit_ = limit; }

 private:
  friend class Loop;
  friend class Scope;
  void OnTimer() override;
  void Resume() { handle_.resume(); }

  Loop& loop_;
  Scope& scope_;
  std::coroutine_handle<> handle_;
  Waiter* waiting_ = nullptr;
  TimePoint deadline_ = kNever;
  TimePoint limit_ = kNever;
  bool cancelled_ = false;
  Fiber* next_ready_ = nullptr;
  Fiber* previous_ = nullptr;  // siblings in the scope
  Fiber* next_ = nullptr;
};

}  // namespace meridian::io
