// Scope: the fibers of an object or function, which must wait for their end (structured
// concurrency). No fiber outlives its scope.
//
//   Scope scope(loop);
//   scope.Spawn(Upload(stream));
//   scope.Spawn(Download(stream));
//   co_await scope.Join();   // cancelling the awaiting fiber cancels both fibers
//
// One thread: the loop's. Destroying a scope that still has fibers is a bug: call Cancel and Join
// first.
#pragma once

#include <cstddef>

#include "io/task.hpp"

namespace meridian::io {

class Scope {
 public:
  explicit Scope(Loop& loop) : loop_(loop) {}
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  ~Scope();

  Loop& loop() const { return loop_; }
  bool empty() const { return first_ == nullptr; }
  size_t size() const { return size_; }

  // Starts `task` as a fiber, which first runs in the next loop iteration. On a cancelled scope the
  // fiber starts cancelled.
  void Spawn(Task<void> task);

  // Cancels every present and future fiber of the scope; each ends at its next await.
  void Cancel();

  // Waits until no fiber is left. When the wait is interrupted (by cancellation or by the limit of
  // Within), Join cancels the fibers and still waits for their end. One fiber at a time may join.
  auto Join() { return ScopeJoin(*this); }

 private:
  class ScopeJoin final : public Waiter {
   public:
    explicit ScopeJoin(Scope& scope) : scope_(scope) {}
    void Interrupt(Errc /*why*/) override { scope_.Cancel(); }
    bool await_ready() const noexcept { return scope_.empty(); }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> handle) {
      scope_.Wait(*this, *handle.promise().fiber, handle);
    }
    void await_resume() const noexcept {}

   private:
    Scope& scope_;
  };

  struct Root;
  static Root RunRoot(Scope& scope, Task<void> task);
  void Wait(Waiter& joiner, Fiber& fiber, std::coroutine_handle<> handle);
  void Add(Fiber& fiber);
  void Remove(Fiber& fiber);

  Loop& loop_;
  Fiber* first_ = nullptr;
  Fiber* joining_ = nullptr;
  size_t size_ = 0;
  bool cancelled_ = false;
};

}  // namespace meridian::io
