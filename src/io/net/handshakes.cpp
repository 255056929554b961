#include "io/net/handshakes.hpp"

#include <memory>
#include <utility>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/fiber.hpp"
#include "io/net/stream.hpp"
#include "io/net/tls.hpp"
#include "io/task.hpp"

namespace meridian::io {

Handshakes::Entry::Entry(Handshakes& list, TimePoint since)
    : list_(&list), since_(since), previous_(list.last_) {
  (previous_ == nullptr ? list.first_ : previous_->next_) = this;
  list.last_ = this;
  ++list.size_;
}

void Handshakes::Entry::Leave() {
  if (list_ == nullptr) return;
  (previous_ == nullptr ? list_->first_ : previous_->next_) = next_;
  (next_ == nullptr ? list_->last_ : next_->previous_) = previous_;
  --list_->size_;
  list_ = nullptr;
}

Task<Result<std::unique_ptr<TlsConnection>>> Handshakes::Accept(std::unique_ptr<Entry> entry,
                                                                std::shared_ptr<TlsContext> context,
                                                                std::unique_ptr<Stream> stream,
                                                                TimePoint deadline) {
  if (entry->evicted_) co_return Fail(Errc::kCancelled, "evicted before its handshake");
  entry->fiber_ = &co_await ThisFiber{};
  auto secured = co_await TlsAccept(std::move(context), std::move(stream), deadline);
  entry->Leave();
  co_return secured;
}

bool Handshakes::EvictOldest() {
  if (first_ == nullptr) return false;
  Entry& oldest = *first_;
  oldest.Leave();
  oldest.evicted_ = true;
  if (oldest.fiber_ != nullptr) oldest.fiber_->Cancel();
  return true;
}

}  // namespace meridian::io
