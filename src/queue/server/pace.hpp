// Pace: lets other fibers run while the items of a large request are handled one by one.
//
//   Pace pace;
//   for (const auto& item : request.items) {
//     ...
//     co_await pace.Step();
//   }
//
// Owned by the fiber that answers the request; one thread. What an earlier item has seen of the
// engine may have changed at the next one.
#pragma once

#include <cstddef>

#include "base/clock.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "queue/limits.hpp"

namespace meridian::queue {

class Pace {
 public:
  // An item was handled. Ends at once in a cancelled fiber, whose remaining items are few.
  io::Task<void> Step() {
    if (++items_ % kItemsPerSlice == 0) (void)co_await io::Sleep(Duration::zero());
  }

 private:
  size_t items_ = 0;
};

}  // namespace meridian::queue
