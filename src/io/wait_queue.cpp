#include "io/wait_queue.hpp"

#include <coroutine>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/fiber.hpp"
#include "io/task.hpp"

namespace meridian::io {

bool WaitQueue::WaitOperation::Start(Fiber& fiber, std::coroutine_handle<> handle) {
  if (fiber.cancelled()) {
    interrupted_ = Errc::kCancelled;
    return false;
  }
  fiber_ = &fiber;
  previous_ = queue_.last_;
  (previous_ == nullptr ? queue_.first_ : previous_->next_) = this;
  queue_.last_ = this;
  ++queue_.size_;
  fiber.Suspend(*this, handle, deadline_);
  return true;
}

void WaitQueue::WaitOperation::Interrupt(Errc why) {
  interrupted_ = why;
  queue_.Remove(*this);
}

Result<void> WaitQueue::WaitOperation::await_resume() const {
  if (interrupted_) return Fail(*interrupted_, "wait {}", ErrcName(*interrupted_));
  return {};
}

void WaitQueue::Remove(WaitOperation& entry) {
  (entry.previous_ == nullptr ? first_ : entry.previous_->next_) = entry.next_;
  (entry.next_ == nullptr ? last_ : entry.next_->previous_) = entry.previous_;
  --size_;
  entry.fiber_->Wake();
}

bool WaitQueue::WakeOne() {
  if (empty()) return false;
  Remove(*first_);
  return true;
}

void WaitQueue::WakeAll() {
  while (WakeOne()) {
  }
}

Task<Result<void>> SleepUntil(TimePoint deadline) {
  WaitQueue never_woken;
  Result<void> waited = co_await never_woken.Wait(deadline);
  if (!waited && waited.error().code == Errc::kCancelled) co_return waited;
  Fiber& fiber = co_await ThisFiber{};
  if (fiber.loop().Now() < deadline) co_return waited;  // an outer Within ended the wait
  co_return Result<void>{};
}

Task<Result<void>> Sleep(Duration duration) {
  Fiber& fiber = co_await ThisFiber{};
  co_return co_await SleepUntil(fiber.loop().After(duration));
}

}  // namespace meridian::io
