#include "queue/engine/in_flight_room.hpp"

#include <cstddef>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/task.hpp"
#include "queue/state/limits.hpp"

namespace meridian::queue {

io::Task<Result<void>> InFlightRoom::Reserve(size_t bytes, TimePoint deadline) {
  if (waiting_.empty() && Fits(bytes)) {
    bytes_ += bytes;
    co_return Result<void>{};
  }
  if (waiting_.size() >= kMaxWaitingProducers) {
    co_return Fail(Errc::kTooLarge, "too many producers wait for the disk");
  }
  auto own = waiting_.emplace(waiting_.end());
  own->bytes = bytes;
  Result<void> woken;
  while (woken && !own->granted) woken = co_await own->queue.Wait(deadline);
  bool granted = own->granted;
  waiting_.erase(own);
  GrantFirst();
  // Interrupted in the same iteration in which it got the room.
  if (!woken && granted) Release(bytes);
  co_return woken;
}

void InFlightRoom::Release(size_t bytes) {
  CHECK(bytes <= bytes_);
  bytes_ -= bytes;
  GrantFirst();
}

void InFlightRoom::GrantFirst() {
  if (waiting_.empty() || waiting_.front().granted || !Fits(waiting_.front().bytes)) return;
  Waiting& first = waiting_.front();
  first.granted = true;
  bytes_ += first.bytes;
  first.queue.WakeAll();
}

}  // namespace meridian::queue
