// LoopSignal: a WaitQueue that any thread may wake.
//
//   while (!ready.load()) co_await signal.Wait();     // on the signal's loop
//   ready.store(true); signal.Notify();               // on any thread
//
// A fiber that tests the condition before it waits misses no Notify: the wake runs on the signal's
// loop, between its fibers. Notifications that come before the loop handles the first one are
// handled together.
//
// Wait and the destructor: the loop's thread, and no fiber may wait when the signal is destroyed.
#pragma once

#include <atomic>
#include <memory>

#include "base/clock.hpp"
#include "io/loop.hpp"
#include "io/wait_queue.hpp"

namespace meridian::io {

class LoopSignal {
 public:
  explicit LoopSignal(Loop& loop) : state_(std::make_shared<State>(loop)) {}
  LoopSignal(const LoopSignal&) = delete;
  LoopSignal& operator=(const LoopSignal&) = delete;

  // Result<void>: success when notified. Errors: kTimeout, kCancelled.
  auto Wait(TimePoint deadline = kNever) { return state_->waiting.Wait(deadline); }

  // Wakes all fibers that wait. Any thread.
  void Notify() {
    // Sequentially consistent, as is the exchange below: either this Notify posts, or the fiber
    // that the work before it wakes sees what the caller has changed.
    if (state_->notified.exchange(true)) return;
    state_->loop.Post([state = state_] {
      state->notified.exchange(false);
      state->waiting.WakeAll();
    });
  }

 private:
  struct State {
    explicit State(Loop& of) : loop(of) {}

    Loop& loop;
    WaitQueue waiting;
    std::atomic<bool> notified = false;
  };

  std::shared_ptr<State> state_;
};

}  // namespace meridian::io
