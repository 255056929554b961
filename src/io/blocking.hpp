// BlockingPool: a few threads for calls that block in the kernel: files, fsync, name look-ups.
//
//   Result<std::string> text =
//       co_await RunBlocking(pool, [path] { return ReadFile(path, kMaxBytes); });
//
// Work that has begun cannot be undone, so the await ignores deadlines and cancellation, and the
// work itself must end. Owned by main; destroyed after every fiber that used it has ended.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <queue>
#include <thread>
#include <type_traits>
#include <vector>

#include "io/loop.hpp"

namespace meridian::io {

class BlockingPool {
 public:
  explicit BlockingPool(size_t threads = 2);
  ~BlockingPool();

  // Any thread. The queue is bounded by the number of fibers: each has at most one piece of work
  // here.
  void Submit(std::function<void()> work);

 private:
  void Serve();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::queue<std::function<void()>> work_;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

template <class Work>
class BlockingOperation final : public Waiter {
 public:
  using Value = std::invoke_result_t<Work>;
  BlockingOperation(BlockingPool& pool, Work work) : pool_(pool), work_(std::move(work)) {}

  void Interrupt(Errc /*why*/) override {}  // the wait lasts until the work is done
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> handle) {
    Fiber& fiber = *handle.promise().fiber;
    fiber.Suspend(*this, handle, kNever);
    pool_.Submit([this, &fiber] {
      value_.emplace(work_());
      fiber.loop().Post([&fiber] { fiber.Wake(); });
    });
  }
  Value await_resume() { return std::move(*value_); }

 private:
  BlockingPool& pool_;
  Work work_;
  std::optional<Value> value_;
};

// Runs `work` on the pool. The await gives the value that `work` returns, usually a Result.
template <class Work>
BlockingOperation<Work> RunBlocking(BlockingPool& pool, Work work) {
  return {pool, std::move(work)};
}

}  // namespace meridian::io
