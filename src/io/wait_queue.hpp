// Sleep, and WaitQueue, the condition variable of fibers. One thread: the loop's.
#pragma once

#include <optional>

#include "base/result.hpp"
#include "io/loop.hpp"

namespace meridian::io {

// Waiting fibers, woken in the order in which they came. A wake without a waiting fiber is lost:
// test the condition, then wait (nothing runs in between). Destroying a queue with waiters is a
// bug.
class WaitQueue {
 public:
  WaitQueue() = default;
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;
  ~WaitQueue() { CHECK(empty()); }

  bool empty() const { return first_ == nullptr; }
  size_t size() const { return size_; }

  // Result<void>: success when woken. Errors: kTimeout, kCancelled.
  auto Wait(TimePoint deadline = kNever) { return WaitOperation(*this, deadline); }

  // Wakes the fiber that has waited longest. False: no fiber waits.
  bool WakeOne();
  void WakeAll();

 private:
  class WaitOperation final : public Waiter {
   public:
    WaitOperation(WaitQueue& queue, TimePoint deadline) : queue_(queue), deadline_(deadline) {}
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> handle) {
      return Start(*handle.promise().fiber, handle);
    }
    Result<void> await_resume() const;
    void Interrupt(Errc why) override;

   private:
    friend class WaitQueue;
    bool Start(Fiber& fiber, std::coroutine_handle<> handle);

    WaitQueue& queue_;
    TimePoint deadline_;
    Fiber* fiber_ = nullptr;
    std::optional<Errc> interrupted_;
    WaitOperation* previous_ = nullptr;
    WaitOperation* next_ = nullptr;
  };

  void Remove(WaitOperation& entry);

  WaitOperation* first_ = nullptr;
  WaitOperation* last_ = nullptr;
  size_t size_ = 0;
};

// Waits until `deadline`. Result<void>: success at the deadline, or kCancelled.
Task<Result<void>> SleepUntil(TimePoint deadline);
// Waits for `duration` from now on.
Task<Result<void>> Sleep(Duration duration);

}  // namespace meridian::io
