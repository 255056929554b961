// RunOn: runs a task on another loop, and waits here for its end.
//
//   uint64_t purged = co_await RunOn(thread.scope(), store.Purge(order));
//
// The task's frame is made here, and runs and is destroyed there. When the await returns, the
// task's fiber has left the scope. The await ignores deadlines and cancellation, so the task must
// end. What it refers to must outlive it.
#pragma once

#include <coroutine>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/fiber.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"

namespace meridian::io {

template <class T>
class RunOnOperation final : public Waiter {
 public:
  RunOnOperation(Scope& there, Task<T> task) : there_(there), task_(std::move(task)) {}

  void Interrupt(Errc /*why*/) override {}
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> handle) {
    Fiber& fiber = *handle.promise().fiber;
    fiber.Suspend(*this, handle, kNever);
    there_.loop().Post(
        [this, &fiber] { there_.Spawn(Run(there_.loop(), std::move(task_), &value_, fiber)); });
  }
  T await_resume() {
    if constexpr (!std::is_void_v<T>) return std::move(*value_);
  }

 private:
  using Value = std::conditional_t<std::is_void_v<T>, char, T>;

  // What it posts runs when its fiber has ended.
  static Task<void> Run(Loop& there, Task<T> task, std::optional<Value>* value, Fiber& waiting) {
    co_await internal::Store(std::move(task), value);
    there.Post([&waiting] { waiting.loop().Post([&waiting] { waiting.Wake(); }); });
  }

  Scope& there_;
  Task<T> task_;
  std::optional<Value> value_;
};

template <class T>
RunOnOperation<T> RunOn(Scope& there, Task<T> task) {
  return {there, std::move(task)};
}

}  // namespace meridian::io
