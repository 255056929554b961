// A Fiber is one logical thread of control on a loop: a spawned coroutine and the chain of tasks
// that it awaits. At any moment it runs, is ready to run, or waits for exactly one Waiter.
// Cancellation and deadlines therefore interrupt exactly one waiter.
//
// Owned by the Scope that spawned it. One thread: its loop's. Invariants: a cancelled fiber never
// suspends in an interruptible wait again: every such await ends with kCancelled at once. A wait
// ends once: by its event, its deadline, or cancellation.
#pragma once

#include <coroutine>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/timer.hpp"

namespace meridian::io {

class Loop;
class Scope;

// The base of every awaitable that can suspend a fiber.
class Waiter {
 public:
  // Ends the wait early with kTimeout or kCancelled. The implementation leaves the queue in which
  // it waits, keeps `why` as its result and calls Fiber::Wake. Waits for work that cannot be undone
  // ignore the call.
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

  // Suspends `handle`, the innermost coroutine, until Wake. At `deadline`, or at the limit set by
  // Within if that is sooner, interrupts `waiter` with kTimeout. Arming is lazy: a wait that ends
  // well before its deadline costs no timer work.
  void Suspend(Waiter& waiter, std::coroutine_handle<> handle, TimePoint deadline);
  // Ends the wait: the loop resumes the fiber in its next iteration.
  void Wake();
  // Suspends without a waiter and is ready at once, so that other fibers run first.
  void Yield(std::coroutine_handle<> handle);
  // Yield, but the fiber resumes in the same loop iteration; see Loop::ScheduleLate.
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
