// FiberMutex: lets one fiber at a time change what several fibers change across awaits.
//
//   Result<FiberMutex::Guard> guard = co_await mutex.Lock();
//   if (!guard) co_return Fail(guard.error());
//
// One thread: the loop's.
#pragma once

#include <utility>

#include "base/result.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"

namespace meridian::queue {

class FiberMutex {
 public:
  // Unlocks when it is destroyed. Move only.
  class Guard {
   public:
    explicit Guard(FiberMutex& mutex) : mutex_(&mutex) {}
    Guard(Guard&& other) noexcept : mutex_(std::exchange(other.mutex_, nullptr)) {}
    Guard& operator=(Guard&&) = delete;
    ~Guard() {
      if (mutex_ != nullptr) mutex_->Unlock();
    }

   private:
    FiberMutex* mutex_;
  };

  // kCancelled.
  io::Task<Result<Guard>> Lock() {
    while (locked_) {
      Result<void> woken = co_await waiting_.Wait();
      if (!woken) co_return Fail(std::move(woken.error()));
    }
    locked_ = true;
    co_return Guard(*this);
  }

 private:
  void Unlock() {
    locked_ = false;
    waiting_.WakeAll();
  }

  bool locked_ = false;
  io::WaitQueue waiting_;
};

}  // namespace meridian::queue
