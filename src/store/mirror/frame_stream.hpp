// FrameStream: frames of mirroring over a stream. Owned by one connection; one fiber reads and one
// writes. Private to store/.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"
#include "store/limits.hpp"
#include "store/mirror/mirror_protocol.hpp"

namespace meridian::store {

class FrameStream {
 public:
  // `received`: what was read of the stream already.
  explicit FrameStream(std::unique_ptr<io::Stream> stream, Bytes received = {})
      : stream_(std::move(stream)), buffer_(kMaxFrameBytes + kFrameHeaderBytes) {
    CHECK(buffer_.Append(received));
  }

  // The next frame, of at most `most` bytes, whole by `deadline`; valid until the next read.
  // kClosed: the peer has closed; otherwise as Stream and FrameBytes.
  io::Task<Result<Frame>> Read(size_t most, TimePoint deadline);
  io::Task<Result<void>> Write(Bytes frame, TimePoint deadline);

  // As above, but for as long as it takes while the peer makes progress: a large frame may take a
  // slow link longer than kMaxMirrorSilence. kTimeout: the peer is silent (kMinMirrorProgress).
  io::Task<Result<Frame>> ReadWithProgress(size_t most);
  io::Task<Result<void>> WriteWithProgress(Bytes head, Bytes rest);

  // Refuses the whole connection, and closes. No fiber may be reading or writing.
  io::Task<void> Refuse(const Refusal& refusal, TimePoint deadline);

  std::string PeerText() const { return stream_->peer().ToString(); }

 private:
  class Deadline;
  io::Task<Result<Frame>> ReadBy(size_t most, Deadline deadline);

  std::unique_ptr<io::Stream> stream_;
  Buffer buffer_;
  size_t taken_ = 0;  // of the frame that was given last
};

}  // namespace meridian::store
