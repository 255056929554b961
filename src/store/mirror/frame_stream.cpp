#include "store/mirror/frame_stream.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>

#include <fmt/core.h>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/fiber.hpp"
#include "io/loop.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"
#include "store/limits.hpp"
#include "store/mirror/mirror_protocol.hpp"

namespace meridian::store {
namespace {

constexpr size_t kReadBytes = size_t{64} * 1024;
constexpr auto kSilenceSeconds =
    std::chrono::duration_cast<std::chrono::seconds>(kMaxMirrorSilence).count();

// The bytes that are written before others are taken from it.
Bytes TakeFirst(Bytes& from, size_t most) {
  Bytes first = from.first(std::min(from.size(), most));
  from = from.subspan(first.size());
  return first;
}

}  // namespace

// A fixed time, or one that is renewed by progress.
class FrameStream::Deadline {
 public:
  explicit Deadline(TimePoint at) : at_(at) {}
  explicit Deadline(io::Loop& loop) : loop_(&loop), at_(loop.After(kMaxMirrorSilence)) {}

  TimePoint at() const { return at_; }
  void OnProgress(size_t bytes) {
    progress_ += bytes;
    if (loop_ == nullptr || progress_ < kMinMirrorProgress) return;
    progress_ = 0;
    at_ = loop_->After(kMaxMirrorSilence);
  }
  // `error` in the words of an operator.
  Error Explain(Error error) const {
    if (loop_ == nullptr || error.code != Errc::kTimeout) return error;
    error.message = fmt::format("the peer sent {} bytes in {} s", progress_, kSilenceSeconds);
    return error;
  }

 private:
  io::Loop* loop_ = nullptr;  // null: fixed
  TimePoint at_;
  size_t progress_ = 0;  // since the last renewal
};

io::Task<Result<Frame>> FrameStream::Read(size_t most, TimePoint deadline) {
  return ReadBy(most, Deadline(deadline));
}

io::Task<Result<Frame>> FrameStream::ReadWithProgress(size_t most) {
  io::Fiber& fiber = co_await io::ThisFiber{};
  co_return co_await ReadBy(most, Deadline(fiber.loop()));
}

io::Task<Result<Frame>> FrameStream::ReadBy(size_t most, Deadline deadline) {
  buffer_.Consume(taken_);
  taken_ = 0;
  buffer_.ReleaseIfEmpty();
  for (;;) {
    Result<size_t> bytes = FrameBytes(buffer_.readable(), most);
    if (!bytes) co_return Fail(bytes.error());
    if (*bytes > 0 && *bytes <= buffer_.size()) {
      taken_ = *bytes;
      co_return ParseFrame(buffer_.readable().first(*bytes));
    }
    size_t wanted = std::max(kReadBytes, *bytes > 0 ? *bytes - buffer_.size() : 0);
    Result<size_t> got = co_await stream_->Read(buffer_.Prepare(wanted), deadline.at());
    if (!got) co_return Fail(deadline.Explain(got.error()));
    if (*got == 0) co_return Fail(Errc::kClosed, "the peer has left");
    buffer_.Commit(*got);
    deadline.OnProgress(*got);
  }
}

io::Task<Result<void>> FrameStream::Write(Bytes frame, TimePoint deadline) {
  co_return co_await stream_->Write(frame, deadline);
}

io::Task<Result<void>> FrameStream::WriteWithProgress(Bytes head, Bytes rest) {
  io::Fiber& fiber = co_await io::ThisFiber{};
  while (!head.empty() || !rest.empty()) {
    Bytes first = TakeFirst(head, kMinMirrorProgress);
    Bytes second = TakeFirst(rest, kMinMirrorProgress - first.size());
    auto written = co_await stream_->Write({first, second}, fiber.loop().After(kMaxMirrorSilence));
    if (written) continue;
    if (written.error().code != Errc::kTimeout) co_return written;
    co_return Fail(Errc::kTimeout, "the peer did not read {} bytes in {} s",
                   first.size() + second.size(), kSilenceSeconds);
  }
  co_return Result<void>{};
}

io::Task<void> FrameStream::Refuse(const Refusal& refusal, TimePoint deadline) {
  (void)co_await Write(EncodeRefusal(kWholeConnection, refusal), deadline);
  stream_->ShutdownWrite();
}

}  // namespace meridian::store
