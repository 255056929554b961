// Writes one message after another to a stream: heads are gathered in a buffer and go out in one
// write with the body bytes that follow them; bodies are framed. One owner, one thread, one fiber
// at a time. The body's bytes are not copied.
//
// Invariants: a body is `complete` only when exactly what its framing announced was written; after
// a failed write nothing more is written.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/net/stream.hpp"
#include "wire/http/message.hpp"

namespace meridian::http {

class MessageWriter {
 public:
  // `head` is where the caller writes heads (wire::http::HeadWriter). All must outlive this.
  // `timeout` is for each slice of kWriteSliceBytes.
  MessageWriter(io::Loop& loop, io::Stream& stream, Buffer& head, Duration timeout)
      : loop_(loop), stream_(stream), head_(head), timeout_(timeout) {}

  // What follows the head that was written last. kNone: body bytes are dropped unseen, as for the
  // answer to HEAD.
  void BeginBody(wire::http::BodyFraming framing);

  bool complete() const { return complete_; }
  bool failed() const { return failed_; }
  uint64_t sent_bytes() const { return sent_bytes_; }

  // Sends heads that wait. kInvalid: more, or at Finish less, than the announced length. Also the
  // stream's errors; kTimeout: the peer takes too little.
  io::Task<Result<void>> Flush() { return Emit({}, false, {}); }
  io::Task<Result<void>> Write(Bytes data) { return Emit(data, false, {}); }
  // Ends the body, with `last` as its last bytes. Trailers go out in a chunked body only.
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
