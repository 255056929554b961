#include "io/net/stream.hpp"

#include <algorithm>
#include <coroutine>
#include <cstddef>
#include <span>
#include <utility>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/result.hpp"
#include "io/fiber.hpp"
#include "io/loop.hpp"

namespace meridian::io {
namespace {

// Ends an operation that succeeded at once. A fiber without budget goes to the back of the ready
// queue, keeping the result.
bool Suspends(Fiber& fiber, std::coroutine_handle<> handle) {
  if (fiber.loop().TakeBudget()) return false;
  fiber.Yield(handle);
  return true;
}

}  // namespace

Stream::~Stream() { CHECK(reader_ == nullptr && writer_ == nullptr && watcher_ == nullptr); }

Result<size_t> Stream::TryPeek(MutableBytes /*into*/) {
  return Fail(Errc::kInvalid, "this stream cannot be peeked at");
}

Result<size_t> Stream::TrySendFile(const File& /*file*/, FileSpan /*span*/) { return kUnsupported; }

void Stream::NotifyReadable() {
  if (outer_ != nullptr) {
    // A TLS read may need to write, and a TLS write may need to read.
    outer_->NotifyReadable();
    outer_->NotifyWritable();
  } else if (reader_ != nullptr) {
    reader_->Retry();
  }
}

void Stream::NotifyWritable() {
  if (outer_ != nullptr) {
    outer_->NotifyReadable();
    outer_->NotifyWritable();
  } else if (writer_ != nullptr) {
    writer_->Retry();
  }
}

void Stream::NotifyHangup() {
  if (outer_ != nullptr) {
    outer_->NotifyHangup();
  } else if (watcher_ != nullptr) {
    watcher_->Retry();
  }
}

void Stream::InterruptAll() {
  for (RetryWaiter* waiter : {reader_, writer_, watcher_}) {
    if (waiter != nullptr) waiter->Interrupt(Errc::kClosed);
  }
}

bool Stream::ReadOperation::Start(Fiber& fiber, std::coroutine_handle<> handle) {
  if (fiber.cancelled()) {
    result_ = Fail(Errc::kCancelled, "read cancelled");
    return false;
  }
  CHECK(!into_.empty());
  result_ = stream_.TryRead(into_);
  if (!result_ || *result_ != kBlocked) return Suspends(fiber, handle);
  CHECK(stream_.reader_ == nullptr);
  fiber_ = &fiber;
  stream_.reader_ = this;
  fiber.Suspend(*this, handle, deadline_);
  return true;
}

void Stream::ReadOperation::Retry() {
  result_ = stream_.TryRead(into_);
  if (result_ && *result_ == kBlocked) return;
  stream_.reader_ = nullptr;
  fiber_->Wake();
}

void Stream::ReadOperation::Interrupt(Errc why) {
  result_ = Fail(why, "read {}", ErrcName(why));
  stream_.reader_ = nullptr;
  fiber_->Wake();
}

Stream::WriteOperation::WriteOperation(Stream& stream, std::span<const Bytes> pieces,
                                       TimePoint deadline)
    : stream_(stream), deadline_(deadline), count_(pieces.size()) {
  CHECK(pieces.size() <= kMaxWritePieces);
  std::ranges::copy(pieces, pieces_.begin());
}

bool Stream::WriteOperation::Advance() {
  for (;;) {
    Result<size_t> written = stream_.TryWrite(std::span(pieces_).subspan(next_, count_ - next_));
    if (!written) {
      result_ = Fail(std::move(written.error()));
      return true;
    }
    if (*written == kBlocked) return false;
    size_t left = *written;
    while (next_ < count_ && left >= pieces_[next_].size()) left -= pieces_[next_++].size();
    if (next_ == count_) return true;
    pieces_[next_] = pieces_[next_].subspan(left);
  }
}

bool Stream::WriteOperation::Start(Fiber& fiber, std::coroutine_handle<> handle) {
  if (fiber.cancelled()) {
    result_ = Fail(Errc::kCancelled, "write cancelled");
    return false;
  }
  if (Advance()) return Suspends(fiber, handle);
  CHECK(stream_.writer_ == nullptr);
  fiber_ = &fiber;
  stream_.writer_ = this;
  fiber.Suspend(*this, handle, deadline_);
  return true;
}

void Stream::WriteOperation::Retry() {
  if (!Advance()) return;
  stream_.writer_ = nullptr;
  fiber_->Wake();
}

void Stream::WriteOperation::Interrupt(Errc why) {
  // Room may have come without a notification: Linux waits until a third of the socket's buffer is
  // free, which on a slow link takes longer than a deadline.
  bool done = why == Errc::kTimeout && Advance();
  if (!done) result_ = Fail(why, "write {}", ErrcName(why));
  stream_.writer_ = nullptr;
  fiber_->Wake();
}

bool Stream::SignalOperation::Holds() const {
  switch (kind_) {
    case Kind::kReadable:
      return stream_.MaybeReadable();
    case Kind::kHangup:
      return stream_.hung_up();
    case Kind::kPeerEnd:
      return stream_.peer_ended();
  }
  CHECK(false);
}

RetryWaiter*& Stream::SignalOperation::Slot() {
  return kind_ == Kind::kReadable ? stream_.reader_ : stream_.watcher_;
}

bool Stream::SignalOperation::Start(Fiber& fiber, std::coroutine_handle<> handle) {
  if (fiber.cancelled()) {
    result_ = Fail(Errc::kCancelled, "wait cancelled");
    return false;
  }
  if (Holds()) return Suspends(fiber, handle);
  CHECK(Slot() == nullptr);
  fiber_ = &fiber;
  Slot() = this;
  fiber.Suspend(*this, handle, deadline_);
  return true;
}

void Stream::SignalOperation::Retry() {
  if (!Holds()) return;
  Slot() = nullptr;
  fiber_->Wake();
}

void Stream::SignalOperation::Interrupt(Errc why) {
  result_ = Fail(why, "wait {}", ErrcName(why));
  Slot() = nullptr;
  fiber_->Wake();
}

Listener::~Listener() { CHECK(acceptor_ == nullptr); }

void Listener::NotifyReadable() {
  if (acceptor_ != nullptr) acceptor_->Retry();
}

void Listener::InterruptAll() {
  if (acceptor_ != nullptr) acceptor_->Interrupt(Errc::kClosed);
}

bool Listener::AcceptOperation::Start(Fiber& fiber, std::coroutine_handle<> handle) {
  if (fiber.cancelled()) {
    result_ = Fail(Errc::kCancelled, "accept cancelled");
    return false;
  }
  result_ = listener_.TryAccept();
  if (result_) return Suspends(fiber, handle);
  CHECK(listener_.acceptor_ == nullptr);
  fiber_ = &fiber;
  listener_.acceptor_ = this;
  fiber.Suspend(*this, handle, deadline_);
  return true;
}

void Listener::AcceptOperation::Retry() {
  result_ = listener_.TryAccept();
  if (!result_) return;
  listener_.acceptor_ = nullptr;
  fiber_->Wake();
}

void Listener::AcceptOperation::Interrupt(Errc why) {
  result_ = Fail(why, "accept {}", ErrcName(why));
  listener_.acceptor_ = nullptr;
  fiber_->Wake();
}

}  // namespace meridian::io
