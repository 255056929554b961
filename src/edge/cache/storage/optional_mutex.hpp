// OptionalMutex: the mutex of an object that is shared by the loops of a process. In a process of
// one loop (`shared` is false) it does nothing, and costs a test of a constant.
#pragma once

#include <mutex>

namespace meridian::edge {

class OptionalMutex {
 public:
  explicit OptionalMutex(bool shared) : shared_(shared) {}

  bool shared() const { return shared_; }
  void lock() {
    if (shared_) mutex_.lock();
  }
  void unlock() {
    if (shared_) mutex_.unlock();
  }

 private:
  const bool shared_;
  std::mutex mutex_;
};

using OptionalLock = std::lock_guard<OptionalMutex>;

}  // namespace meridian::edge
