// For tests: two streams joined in memory, and a loop whose time jumps to whatever is waited for.
// Nothing is real, so deadlines cost nothing and every order of events can be made.
#pragma once

#include <memory>
#include <string>

#include "io/loop.hpp"
#include "io/stream.hpp"

namespace meridian::http {

// A world where nothing happens but what the test does. Waiting for ever is a failure: nobody could
// end it.
class JumpingDriver final : public io::Driver {
 public:
  TimePoint Now() const override { return clock_.Now(); }
  WallTime Wall() const override { return clock_.Wall(); }
  void Wait(TimePoint until) override {
    CHECK(until != kNever);
    if (until > clock_.Now()) clock_.Advance(until - clock_.Now());
  }
  void Wake() override {}

 private:
  ManualClock clock_;
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

  // Writes that were made on this end so far.
  int writes() const { return writes_; }
  bool closed() const { return closed_; }

 private:
  MemoryStream* other_ = nullptr;  // null when it is closed
  size_t capacity_ = 0;
  std::string arrived_;
  int writes_ = 0;
  bool shut_ = false;   // we write no more
  bool ended_ = false;  // the other end writes no more
  bool reset_ = false;
  bool closed_ = false;
};

}  // namespace meridian::http
