// InFlightRoom: bounds the bytes of batches that were appended and are not yet in their segment
// files. Producers wait here while the disk is slow, in the order in which they came.
//
//   Result<void> reserved = co_await room.Reserve(bytes, deadline);
//   ...
//   room.Release(bytes);
//
// Owned by the DurableState; one thread: the loop's. Invariant: a caller is served before all that
// came later, so a request for much room is not overtaken by small ones.
#pragma once

#include <cstddef>
#include <list>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"

namespace meridian::queue {

class InFlightRoom {
 public:
  explicit InFlightRoom(size_t max_bytes) : max_bytes_(max_bytes) {}

  // More than the limit is given when nothing else is in flight. The caller that gets room
  // runs before any that is waiting or comes later. kTimeout, kCancelled; kTooLarge: too many wait.
  io::Task<Result<void>> Reserve(size_t bytes, TimePoint deadline);
  // Takes room without waiting: for batches that are replayed.
  void Take(size_t bytes) { bytes_ += bytes; }
  void Release(size_t bytes);
  size_t bytes() const { return bytes_; }

 private:
  struct Waiting {
    size_t bytes = 0;
    bool granted = false;
    io::WaitQueue queue;
  };
  bool Fits(size_t bytes) const { return bytes_ == 0 || bytes_ + bytes <= max_bytes_; }
  void GrantFirst();

  size_t max_bytes_;
  size_t bytes_ = 0;
  std::list<Waiting> waiting_;  // at most the first is granted
};

}  // namespace meridian::queue
