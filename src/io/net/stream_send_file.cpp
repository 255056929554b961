#include <algorithm>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/fiber.hpp"
#include "io/file/disk.hpp"
#include "io/loop.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"

namespace meridian::io {
namespace {

// What is read at a time where the kernel cannot send from the file.
constexpr size_t kSendBlockBytes = 64 << 10;

Result<void> FileEnds(FileSpan span) {
  return Fail(Errc::kIo, "send: the file ends {} bytes before the span that begins at {} does",
              span.bytes, span.offset);
}

}  // namespace

// Sends from the file until all is sent, the stream cannot, or an error occurs.
class Stream::SendFileOperation final : public RetryWaiter {
 public:
  // Takes what was sent off `span`; the caller keeps it.
  SendFileOperation(Stream& stream, const File& file, FileSpan& span, TimePoint deadline)
      : stream_(stream), file_(file), span_(span), deadline_(deadline) {}

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> handle) {
    return Start(*handle.promise().fiber, handle);
  }
  // false: the stream cannot send from this file; `span` is the rest.
  Result<bool> await_resume() { return std::move(result_); }

  void Interrupt(Errc why) override {
    // As in WriteOperation::Interrupt.
    bool done = why == Errc::kTimeout && Advance();
    if (!done) result_ = Fail(why, "send {}", ErrcName(why));
    End();
  }
  void Retry() override {
    if (Advance()) End();
  }

 private:
  bool Start(Fiber& fiber, std::coroutine_handle<> handle) {
    if (fiber.cancelled()) {
      result_ = Fail(Errc::kCancelled, "send cancelled");
      return false;
    }
    if (Advance()) {
      if (fiber.loop().TakeBudget()) return false;
      fiber.Yield(handle);
      return true;
    }
    CHECK(stream_.writer_ == nullptr);
    fiber_ = &fiber;
    stream_.writer_ = this;
    fiber.Suspend(*this, handle, deadline_);
    return true;
  }

  // Continues to send; false when it has to wait.
  bool Advance() {
    while (span_.bytes > 0) {
      Result<size_t> sent = stream_.TrySendFile(file_, span_);
      if (sent && *sent == kBlocked) return false;
      if (!sent) {
        result_ = Fail(std::move(sent.error()));
        return true;
      }
      if (*sent == kUnsupported) {
        result_ = false;
        return true;
      }
      if (*sent == 0) {
        result_ = Fail(FileEnds(span_).error());
        return true;
      }
      span_.offset += *sent;
      span_.bytes -= *sent;
    }
    return true;
  }

  void End() {
    stream_.writer_ = nullptr;
    fiber_->Wake();
  }

  Stream& stream_;
  const File& file_;
  FileSpan& span_;
  TimePoint deadline_;
  Fiber* fiber_ = nullptr;
  Result<bool> result_ = true;
};

Task<Result<void>> Stream::SendFile(File& file, FileSpan span, TimePoint deadline) {
  Result<bool> sent = co_await SendFileOperation(*this, file, span, deadline);
  if (!sent) co_return Fail(std::move(sent.error()));
  if (*sent) co_return Result<void>{};
  std::vector<uint8_t> block(std::min(span.bytes, kSendBlockBytes));
  while (span.bytes > 0) {
    MutableBytes into = MutableBytes(block).first(std::min(span.bytes, block.size()));
    Result<size_t> got = co_await file.ReadAt(span.offset, into);
    if (!got) co_return Fail(std::move(got.error()));
    if (*got == 0) co_return FileEnds(span);
    if (auto written = co_await Write(into.first(*got), deadline); !written) co_return written;
    span.offset += *got;
    span.bytes -= *got;
  }
  co_return Result<void>{};
}

}  // namespace meridian::io
