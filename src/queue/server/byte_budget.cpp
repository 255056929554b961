#include "queue/server/byte_budget.hpp"

#include <cstddef>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/task.hpp"

namespace meridian::queue {

io::Task<Result<void>> ByteBudget::Take(size_t bytes, TimePoint deadline) {
  if (waiting_.empty() && Fits(bytes)) {
    taken_ += bytes;
    co_return Result<void>{};
  }
  Waiting waiting{.bytes = bytes};
  auto place = waiting_.insert(waiting_.end(), &waiting);
  Result<void> woken = co_await waiting.woken.Wait(deadline);
  if (waiting.granted) co_return Result<void>{};
  waiting_.erase(place);
  Grant();  // a smaller request may have been behind this one
  co_return woken;
}

void ByteBudget::Give(size_t bytes) {
  CHECK(bytes <= taken_);
  taken_ -= bytes;
  Grant();
}

void ByteBudget::Grant() {
  while (!waiting_.empty() && Fits(waiting_.front()->bytes)) {
    Waiting& first = *waiting_.front();
    waiting_.pop_front();
    taken_ += first.bytes;
    first.granted = true;
    first.woken.WakeAll();
  }
}

}  // namespace meridian::queue
