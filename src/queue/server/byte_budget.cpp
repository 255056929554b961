#include "queue/server/byte_budget.hpp"

#include <cstddef>
#include <utility>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/task.hpp"

namespace meridian::queue {

io::Task<Result<void>> ByteBudget::Share::Take(size_t bytes, TimePoint deadline) {
  Queue& queue = bytes_ == 0 ? budget_.beginning_ : budget_.growing_;
  // The one that overdraws waits for nobody, so that it ends.
  const bool next = queue.empty() || budget_.overdrawn_ == this;
  if (next && budget_.Fits(*this, bytes)) {
    budget_.Add(*this, bytes);
    co_return Result<void>{};
  }
  Waiting waiting{.share = *this, .bytes = bytes};
  auto place = queue.insert(queue.end(), &waiting);
  Result<void> woken = co_await waiting.woken.Wait(deadline);
  if (waiting.granted) co_return Result<void>{};
  queue.erase(place);
  budget_.Grant();  // a smaller request may have been behind this one
  co_return woken;
}

void ByteBudget::Share::Give() {
  CHECK(bytes_ <= budget_.taken_);
  budget_.taken_ -= std::exchange(bytes_, 0);
  if (budget_.overdrawn_ == this) budget_.overdrawn_ = nullptr;
  budget_.Grant();
}

// A request that has begun may overdraw, unless another one has.
bool ByteBudget::Fits(const Share& share, size_t bytes) const {
  if (taken_ == 0 || taken_ + bytes <= limit_) return true;
  return share.bytes_ > 0 && (overdrawn_ == nullptr || overdrawn_ == &share);
}

void ByteBudget::Add(Share& share, size_t bytes) {
  taken_ += bytes;
  share.bytes_ += bytes;
  if (taken_ > limit_ && overdrawn_ == nullptr) overdrawn_ = &share;
}

void ByteBudget::Grant() {
  Grant(growing_);
  Grant(beginning_);
}

void ByteBudget::Grant(Queue& queue) {
  while (!queue.empty() && Fits(queue.front()->share, queue.front()->bytes)) {
    Waiting& first = *queue.front();
    queue.pop_front();
    Add(first.share, first.bytes);
    first.granted = true;
    first.woken.WakeAll();
  }
}

}  // namespace meridian::queue
