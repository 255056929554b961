// ByteBudget: the memory that the requests of one loop may take together. A connection takes the
// bytes of a request before it reads it, and gives them back when the response is sent; while none
// are left it reads no further, which holds its client back.
//
// One thread: the loop's. Invariants: the bytes that are taken are at most the limit, except for
// one request that alone is larger; requests get room in the order in which they asked for it.
#pragma once

#include <cstddef>
#include <list>

#include "base/result.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"

namespace meridian::queue {

class ByteBudget {
 public:
  explicit ByteBudget(size_t limit) : limit_(limit) {}

  size_t taken() const { return taken_; }

  // Waits until there is room. kTimeout, kCancelled: nothing was taken.
  io::Task<Result<void>> Take(size_t bytes, TimePoint deadline = kNever);
  void Give(size_t bytes);

 private:
  struct Waiting {
    size_t bytes;
    bool granted = false;
    io::WaitQueue woken = {};
  };

  bool Fits(size_t bytes) const { return taken_ == 0 || taken_ + bytes <= limit_; }
  void Grant();

  const size_t limit_;
  size_t taken_ = 0;
  std::list<Waiting*> waiting_;
};

}  // namespace meridian::queue
