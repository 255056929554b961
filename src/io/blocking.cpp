#include "io/blocking.hpp"

#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>

namespace meridian::io {

BlockingPool::BlockingPool(size_t threads) {
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Serve(); });
}

BlockingPool::~BlockingPool() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
}

void BlockingPool::Submit(std::function<void()> work) {
  {
    std::lock_guard lock(mutex_);
    work_.push(std::move(work));
  }
  changed_.notify_one();
}

void BlockingPool::Serve() {
  for (;;) {
    std::function<void()> work;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !work_.empty(); });
      if (work_.empty()) return;
      work = std::move(work_.front());
      work_.pop();
    }
    work();
  }
}

}  // namespace meridian::io
