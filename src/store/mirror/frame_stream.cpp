#include "store/mirror/frame_stream.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"
#include "store/mirror/mirror_protocol.hpp"

namespace meridian::store {
namespace {

constexpr size_t kReadBytes = size_t{64} * 1024;

}  // namespace

io::Task<Result<Frame>> FrameStream::Read(size_t most, TimePoint deadline) {
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
    Result<size_t> got = co_await stream_->Read(buffer_.Prepare(wanted), deadline);
    if (!got) co_return Fail(got.error());
    if (*got == 0) co_return Fail(Errc::kClosed, "the peer has left");
    buffer_.Commit(*got);
  }
}

io::Task<Result<void>> FrameStream::Write(Bytes head, Bytes rest, TimePoint deadline) {
  std::array<Bytes, 2> pieces = {head, rest};
  co_return co_await stream_->Write(std::span<const Bytes>(pieces).first(rest.empty() ? 1 : 2),
                                    deadline);
}

io::Task<void> FrameStream::Refuse(const Refusal& refusal, TimePoint deadline) {
  (void)co_await Write(EncodeRefusal(kWholeConnection, refusal), deadline);
  stream_->ShutdownWrite();
}

}  // namespace meridian::store
