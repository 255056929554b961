// HeavyWork: runs what takes the processor long, such as the decompression of a batch, on a thread
// of its own, so that the loop goes on meanwhile.
//
//   Result<bool> added;
//   if (auto ran = co_await heavy.Run([&] { added = last.Add(batch); }); !ran) co_return ...;
//
// Owned by the engine; one thread: the loop's. Without a pool, as in simulations, the work runs on
// the loop, and other fibers run behind each piece.
#pragma once

#include <cstdint>
#include <functional>

#include "base/result.hpp"
#include "io/task.hpp"

namespace meridian::io {
class BlockingPool;
}  // namespace meridian::io

namespace meridian::queue {

class HeavyWork {
 public:
  // `pool`, if there is one, outlives all runs.
  explicit HeavyWork(io::BlockingPool* pool = nullptr) : pool_(pool) {}

  // Waits until `work` has run; nothing else may use what it uses meanwhile. Work that has begun is
  // not interrupted. kCancelled.
  io::Task<Result<void>> Run(std::function<void()> work);
  // Pieces of work that were begun.
  uint64_t runs() const { return runs_; }

 private:
  io::BlockingPool* pool_;
  uint64_t runs_ = 0;
};

}  // namespace meridian::queue
