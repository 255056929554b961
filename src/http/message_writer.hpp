// MessageWriter: writes messages to a stream. It gathers heads in a buffer and sends them in one
// write with the body bytes that follow, and frames bodies. One owner, one thread, one fiber at a
// time. Body bytes are not copied.
//
// Invariants: a body is `complete` only when exactly the announced bytes were written; after a
// failed write nothing more is written.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/net/stream.hpp"
#include "wire/http/message.hpp"

namespace meridian::http {

class MessageWriter {
 public:
  // The caller writes heads to `head` (wire::http::HeadWriter). All arguments must outlive this.
  // `timeout` applies to each slice of kWriteSliceBytes.
  MessageWriter(io::Loop& loop, io::Stream& stream, Buffer& head, Duration timeout)
      : loop_(loop), stream_(stream), head_(head), timeout_(timeout) {}

  // Sets the framing of the body after the last written head. kNone: body bytes are dropped, as in
  // the answer to HEAD.
  void BeginBody(wire::http::BodyFraming framing);

  bool complete() const { return complete_; }
  bool failed() const { return failed_; }
  uint64_t sent_bytes() const { return sent_bytes_; }

  // Sends waiting heads. Errors: kInvalid: more bytes than the announced length, or fewer at
  // Finish; kTimeout: the peer reads too slowly; the stream's errors.
  io::Task<Result<void>> Flush() { return Emit({}, false, {}); }
  io::Task<Result<void>> Write(Bytes data) { return Emit(data, false, {}); }
  // Ends the body with `last` as its last bytes. Only a chunked body sends trailers.
  io::Task<Result<void>> Finish(Bytes last, wire::http::FieldsView trailers) {
    return Emit(last, true, trailers);
  }

 private:
  io::Task<Result<void>> Emit(Bytes data, bool last, wire::http::FieldsView trailers);
  Result<void> Account(size_t size, bool last);

  io::Loop& loop_;
  io::Stream& stream_;
  Buffer& head_;
  Duration timeout_;
  wire::http::BodyFraming framing_;
  uint64_t left_ = 0;
  uint64_t sent_bytes_ = 0;
  bool complete_ = false;
  bool failed_ = false;
};

}  // namespace meridian::http
