#include "io/scope.hpp"

#include <coroutine>
#include <exception>
#include <utility>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "io/fiber.hpp"
#include "io/task.hpp"

namespace meridian::io {

// The outermost coroutine of a fiber. Its frame holds the Fiber and destroys itself when it ends.
struct Scope::Root {
  struct promise_type {
    promise_type(Scope& scope, Task<void>&) : fiber_storage(scope.loop(), scope) {}

    Root get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    auto final_suspend() noexcept {
      struct FinalAwaiter {
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<promise_type> handle) const noexcept {
          Fiber& fiber = handle.promise().fiber_storage;
          Scope& scope = fiber.scope();
          scope.Remove(fiber);
          handle.destroy();
        }
        void await_resume() const noexcept {}
      };
      return FinalAwaiter{};
    }
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
    void return_void() const noexcept {}

    Fiber fiber_storage;
    Fiber* fiber = &fiber_storage;
  };

  std::coroutine_handle<promise_type> handle;
};

Scope::Root Scope::RunRoot(Scope& /*scope*/, Task<void> task) { co_await std::move(task); }

Scope::~Scope() { CHECK(empty()); }

void Scope::Spawn(Task<void> task) {
  auto handle = RunRoot(*this, std::move(task)).handle;
  Fiber& fiber = handle.promise().fiber_storage;
  Add(fiber);
  fiber.cancelled_ = cancelled_;
  fiber.Yield(handle);
}

void Scope::Cancel() {
  cancelled_ = true;
  for (Fiber* fiber = first_; fiber != nullptr; fiber = fiber->next_) fiber->Cancel();
}

void Scope::Wait(Waiter& joiner, Fiber& fiber, std::coroutine_handle<> handle) {
  CHECK(joining_ == nullptr);
  joining_ = &fiber;
  fiber.Suspend(joiner, handle, kNever);
  if (fiber.cancelled()) Cancel();
}

void Scope::Add(Fiber& fiber) {
  fiber.next_ = first_;
  if (first_ != nullptr) first_->previous_ = &fiber;
  first_ = &fiber;
  ++size_;
}

void Scope::Remove(Fiber& fiber) {
  (fiber.previous_ != nullptr ? fiber.previous_->next_ : first_) = fiber.next_;
  if (fiber.next_ != nullptr) fiber.next_->previous_ = fiber.previous_;
  --size_;
  if (empty() && joining_ != nullptr) std::exchange(joining_, nullptr)->Wake();
}

}  // namespace meridian::io
