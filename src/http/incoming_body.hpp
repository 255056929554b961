// IncomingBody: reads the body of a message, for server and client: bytes come from a stream into
// the connection's buffer and are returned in place. One owner, one thread.
//
// Invariants: a returned view is valid until the next call. A body is `ended` only when its framing
// said so, so that a cut body never looks whole (except kUntilClose, which ends with the
// connection).
#pragma once

#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/net/stream.hpp"
#include "wire/http/chunked.hpp"
#include "wire/http/message.hpp"

namespace meridian::http {

// Space at the end of `in` for one read of `wanted` bytes, or for the rest of its capacity; grows
// `in` only if needed.
MutableBytes SpaceToRead(Buffer& in, size_t wanted);

// The limit of an incoming message's buffer: a head and the bytes read behind it, or one read of a
// fast body.
size_t IncomingLimit(size_t max_head_bytes);

// Empties the buffer of a finished message, and frees the memory that only a fast body needs.
void EndIncoming(Buffer& in);

class IncomingBody {
 public:
  // Begins a body at the front of the buffer. `max_bytes` limits its bytes without framing.
  void Begin(wire::http::BodyFraming framing, uint64_t max_bytes);

  // Whether the whole body was returned.
  bool ended() const { return ended_; }
  uint64_t received() const { return received_; }
  const wire::http::BodyFraming& framing() const { return framing_; }
  // After the end: the trailer fields, valid until the next Begin.
  const wire::http::HeaderFields& trailers() const { return decoder_.trailers(); }
  // The reason, after kInvalid or kTooLarge.
  std::optional<wire::http::ParseError> parse_error() const { return parse_error_; }

  // Whether certainly at most `bytes` bytes are left. For chunks: nothing of the body was returned,
  // and its end is in `in`.
  bool EndsWithin(uint64_t bytes, const Buffer& in) const;

  // Body bytes in `in`; empty at the end, and when more must be read. kInvalid: malformed.
  // kTooLarge: past a limit.
  Result<Bytes> Take(Buffer& in);
  // The next body bytes; empty only at the end. Further errors: kTimeout (no body byte within
  // `timeout`), kReset (the stream ended before the body), and the stream's errors.
  io::Task<Result<Bytes>> Next(io::Loop& loop, io::Stream& stream, Buffer& in, Duration timeout);
  // Drops the last returned bytes, so that the buffer begins after the body.
  void Settle(Buffer& in);

 private:
  Result<Bytes> TakeChunked(Buffer& in);
  Result<Bytes> Give(Bytes data);

  wire::http::BodyFraming framing_;
  uint64_t max_bytes_ = 0;
  uint64_t received_ = 0;
  size_t given_ = 0;  // returned bytes at the front of the buffer, to be dropped
  bool ended_ = true;
  bool fast_ = false;  // the last read filled its space
  std::optional<wire::http::ParseError> parse_error_;
  wire::http::ChunkedDecoder decoder_;
};

}  // namespace meridian::http
