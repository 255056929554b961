// For tests: two streams joined in memory, and a loop whose time jumps to the next deadline.
// Deadlines take no real time, and a test can produce every order of events.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "io/loop.hpp"
#include "io/net/stream.hpp"

namespace meridian::http {

// A driver without outside events. A wait without deadline fails the test, because no event could
// end it.
class JumpingDriver final : public io::Driver {
 public:
  TimePoint Now() const override { return clock_.Now(); }
  WallTime Wall() const override { return clock_.Wall(); }
  void Wait(TimePoint until) override {
    if (std::exchange(woken_, false)) return;
    CHECK(until != kNever);
    if (until > clock_.Now()) clock_.Advance(until - clock_.Now());
  }
  void Wake() override { woken_ = true; }

 private:
  ManualClock clock_;
  bool woken_ = false;
};

// One end of a connection. Each direction holds `capacity` bytes.
class MemoryStream final : public io::Stream {
 public:
  static std::pair<std::unique_ptr<MemoryStream>, std::unique_ptr<MemoryStream>> Pair(
      size_t capacity = size_t{64} * 1024);
  ~MemoryStream() override { Close(); }

  void ShutdownWrite() override;
  void Close() override;
  void Abort() override;
  Endpoint local() const override { return {IpAddress::V4(127, 0, 0, 1), 1}; }
  Endpoint peer() const override { return {IpAddress::V4(127, 0, 0, 1), 2}; }
  Result<size_t> TryRead(MutableBytes into) override;
  Result<size_t> TryWrite(std::span<const Bytes> pieces) override;
  bool MaybeReadable() const override { return !arrived_.empty() || ended_ || reset_ || closed_; }
  bool hung_up() const override { return reset_ || closed_; }
  bool peer_ended() const override { return ended_ || hung_up(); }

  // Number of writes on this end so far.
  int writes() const { return writes_; }
  bool closed() const { return closed_; }

 private:
  MemoryStream* other_ = nullptr;  // null when the other end is closed
  size_t capacity_ = 0;
  std::string arrived_;
  int writes_ = 0;
  bool shut_ = false;   // this end was shut down for writing
  bool ended_ = false;  // the other end was shut down for writing
  bool reset_ = false;
  bool closed_ = false;
};

inline std::pair<std::unique_ptr<MemoryStream>, std::unique_ptr<MemoryStream>> MemoryStream::Pair(
    size_t capacity) {
  auto a = std::make_unique<MemoryStream>();
  auto b = std::make_unique<MemoryStream>();
  a->other_ = b.get();
  b->other_ = a.get();
  a->capacity_ = b->capacity_ = capacity;
  return {std::move(a), std::move(b)};
}

inline Result<size_t> MemoryStream::TryRead(MutableBytes into) {
  if (closed_) return Fail(Errc::kClosed, "read: closed");
  if (reset_) return Fail(Errc::kReset, "read: reset");
  if (arrived_.empty()) return ended_ ? size_t{0} : kBlocked;
  size_t size = std::min(into.size(), arrived_.size());
  std::copy_n(arrived_.begin(), size, into.begin());
  arrived_.erase(0, size);
  if (other_ != nullptr) other_->NotifyWritable();
  return size;
}

inline Result<size_t> MemoryStream::TryWrite(std::span<const Bytes> pieces) {
  if (closed_ || shut_) return Fail(Errc::kClosed, "write: closed");
  if (reset_ || other_ == nullptr) return Fail(Errc::kReset, "write: reset");
  size_t room = capacity_ - other_->arrived_.size();
  size_t wanted = 0;
  for (Bytes piece : pieces) wanted += piece.size();
  if (wanted == 0) return size_t{0};
  if (room == 0) return kBlocked;
  ++writes_;
  size_t taken = 0;
  for (Bytes piece : pieces) {
    Bytes part = piece.first(std::min(piece.size(), room - taken));
    other_->arrived_ += AsText(part);
    taken += part.size();
  }
  other_->NotifyReadable();
  return taken;
}

inline void MemoryStream::ShutdownWrite() {
  shut_ = true;
  if (other_ == nullptr) return;
  other_->ended_ = true;
  other_->NotifyReadable();
  other_->NotifyHangup();
}

inline void MemoryStream::Close() {
  if (closed_) return;
  if (other_ != nullptr) {
    // As in TCP: closing with unread bytes sends a reset.
    if (!arrived_.empty()) return Abort();
    other_->ended_ = true;
    other_->other_ = nullptr;
    other_->NotifyReadable();
    other_->NotifyWritable();
    other_->NotifyHangup();
  }
  other_ = nullptr;
  closed_ = true;
  InterruptAll();
}

inline void MemoryStream::Abort() {
  if (closed_) return;
  if (MemoryStream* other = std::exchange(other_, nullptr)) {
    other->other_ = nullptr;
    other->reset_ = true;
    other->NotifyReadable();
    other->NotifyWritable();
    other->NotifyHangup();
  }
  closed_ = true;
  InterruptAll();
}

}  // namespace meridian::http
