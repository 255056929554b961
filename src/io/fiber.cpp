#include "io/fiber.hpp"

#include <algorithm>
#include <coroutine>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"

namespace meridian::io {

Fiber::~Fiber() { loop_.timers().Disarm(*this); }

void Fiber::Cancel() {
  cancelled_ = true;
  if (waiting_ != nullptr) waiting_->Interrupt(Errc::kCancelled);
}

void Fiber::Suspend(Waiter& waiter, std::coroutine_handle<> handle, TimePoint deadline) {
  CHECK(waiting_ == nullptr);
  waiting_ = &waiter;
  handle_ = handle;
  deadline_ = std::min(deadline, limit_);
  if (deadline_ != kNever && (!armed() || when() > deadline_)) loop_.timers().Arm(*this, deadline_);
}

void Fiber::Wake() {
  CHECK(waiting_ != nullptr);
  waiting_ = nullptr;
  loop_.Schedule(*this);
}

void Fiber::Yield(std::coroutine_handle<> handle) {
  CHECK(waiting_ == nullptr);
  handle_ = handle;
  loop_.Schedule(*this);
}

void Fiber::YieldWithinIteration(std::coroutine_handle<> handle) {
  CHECK(waiting_ == nullptr);
  handle_ = handle;
  loop_.ScheduleLate(*this);
}

void Fiber::OnTimer() {
  if (waiting_ == nullptr || deadline_ == kNever) return;
  if (deadline_ <= loop_.Now()) {
    waiting_->Interrupt(Errc::kTimeout);
  } else {
    loop_.timers().Arm(*this, deadline_);
  }
}

}  // namespace meridian::io
