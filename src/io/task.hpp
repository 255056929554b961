// Task<T>: a lazily started coroutine that returns a T, usually a Result. It starts when it is
// awaited, which happens at most once, inside another Task; the outermost Task of a fiber is given
// to Scope::Spawn or Loop::RunToEnd. A Task that is never awaited never runs. Tasks nest without
// growing the stack (symmetric transfer) and run in the fiber that awaits them. An exception that
// escapes from a Task ends the process (std::terminate).
//
//   io::Task<Result<size_t>> Echo(io::Stream& stream) {
//     Result<size_t> got = co_await stream.Read(space, deadline);
//     if (!got) co_return Fail(got.error());
//     ...
//   }
//
// Objects behind reference parameters must outlive the coroutine. They do where the caller awaits
// the call at once; with Scope::Spawn, see to it. A capturing lambda that is itself a coroutine
// must outlive its task.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

#include "base/check.hpp"
#include "io/fiber.hpp"

namespace meridian::io {

template <class T>
class Task;

namespace internal {

struct PromiseBase {
  Fiber* fiber = nullptr;
  std::coroutine_handle<> continuation;

  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> done) const noexcept {
      return done.promise().continuation;
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }
  [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object();
  template <class U>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  T Take() { return std::move(*value); }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() const noexcept {}
  void Take() const noexcept {}
};

}  // namespace internal

template <class T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = internal::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  explicit Task(Handle handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  auto operator co_await() && noexcept {
    CHECK(handle_);
    return Awaiter{handle_};
  }

 private:
  struct Awaiter {
    Handle task;
    bool await_ready() const noexcept { return false; }
    template <class Parent>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Parent> parent) const noexcept {
      task.promise().fiber = parent.promise().fiber;
      task.promise().continuation = parent;
      return task;
    }
    T await_resume() const { return task.promise().Take(); }
  };

  Handle handle_;
};

template <class T>
Task<T> internal::Promise<T>::get_return_object() {
  return Task<T>(Task<T>::Handle::from_promise(*this));
}
inline Task<void> internal::Promise<void>::get_return_object() {
  return Task<void>(Task<void>::Handle::from_promise(*this));
}

// The fiber that awaits: `io::Fiber& fiber = co_await io::ThisFiber{};`
struct ThisFiber {
  Fiber* fiber = nullptr;
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> handle) noexcept {
    fiber = handle.promise().fiber;
    return false;
  }
  Fiber& await_resume() const noexcept { return *fiber; }
};

// Lets the other ready fibers of this loop iteration run first: `co_await io::AfterOthers{};`.
// Neither a deadline nor cancellation ends it early.
struct AfterOthers {
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> handle) const {
    handle.promise().fiber->YieldWithinIteration(handle);
  }
  void await_resume() const noexcept {}
};

// Awaits `task`; every interruptible wait inside it ends with kTimeout at `deadline` at the latest.
// AfterOthers, and waits for work that cannot be undone (Waiter::Interrupt), are not interrupted.
template <class T>
Task<T> Within(TimePoint deadline, Task<T> task) {
  Fiber& fiber = co_await ThisFiber{};
  struct Limit {
    Fiber& fiber;
    TimePoint outer;
    ~Limit() { fiber.set_limit(outer); }
  } limit{fiber, fiber.limit()};
  if (deadline < limit.outer) fiber.set_limit(deadline);
  co_return co_await std::move(task);
}

}  // namespace meridian::io
