// The body of a message that is being received, of either side: bytes come from a stream into the
// connection's buffer and are given out in place. One owner, one thread.
//
// Invariants: a view that was given out holds until the next call; a body is `ended` only when its
// framing said so, so one that was cut off never looks whole (until_close apart, which has no end
// but the connection's).
#pragma once

#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/net/stream.hpp"
#include "wire/http/chunked.hpp"
#include "wire/http/message.hpp"

namespace meridian::http {

// Space at the end of `in` for one read of `wanted` bytes or what its capacity leaves, without
// growing it more than that needs.
MutableBytes SpaceToRead(Buffer& in, size_t wanted);

// How much an incoming message's buffer may hold: a head and what is read behind it, or one read of
// a fast body.
size_t IncomingLimit(size_t max_head_bytes);

// Empties a buffer whose message is over, and gives back what only a fast body needs.
void EndIncoming(Buffer& in);

class IncomingBody {
 public:
  // The body begins at the front of the buffer. `max_bytes` counts body bytes.
  void Begin(wire::http::BodyFraming framing, uint64_t max_bytes);

  // Everything up to the end of the body was given out.
  bool ended() const { return ended_; }
  uint64_t received() const { return received_; }
  const wire::http::BodyFraming& framing() const { return framing_; }
  // After the end: trailer fields, until the next Begin.
  const wire::http::HeaderFields& trailers() const { return decoder_.trailers(); }
  // Why the body is malformed, after kInvalid or kTooLarge.
  std::optional<wire::http::ParseError> parse_error() const { return parse_error_; }

  // Whether no more than `bytes` are left, for certain: of chunks, because nothing of them was
  // given out and their end is in `in`.
  bool EndsWithin(uint64_t bytes, const Buffer& in) const;

  // Body bytes that `in` holds already; empty at the end, and when more must be read.
  // kInvalid: malformed. kTooLarge: past a limit.
  Result<Bytes> Take(Buffer& in);
  // The next body bytes, empty at the end only. Also kTimeout (no body byte within `timeout`),
  // kReset (the stream ended before the body), and the stream's errors.
  io::Task<Result<Bytes>> Next(io::Loop& loop, io::Stream& stream, Buffer& in, Duration timeout);
  // Drops what was given out last: afterwards the buffer begins behind the body.
  void Settle(Buffer& in);

 private:
  Result<Bytes> TakeChunked(Buffer& in);
  Result<Bytes> Give(Bytes data);

  wire::http::BodyFraming framing_;
  uint64_t max_bytes_ = 0;
  uint64_t received_ = 0;
  size_t given_ = 0;  // bytes at the front of the buffer that are to be dropped
  bool ended_ = true;
  bool fast_ = false;  // the last read took all that it asked for
  std::optional<wire::http::ParseError> parse_error_;
  wire::http::ChunkedDecoder decoder_;
};

}  // namespace meridian::http
