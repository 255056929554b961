// Exchange: one request and its response, as a server's handler sees them, whatever version of HTTP
// carries them. Owned by the connection; it lives until the handler returns. One thread; the
// request may be read by one fiber while another writes the response.
//
//   io::Task<void> Hello(http::Exchange& exchange) {
//     (void)co_await exchange.Respond({.status = 200}, AsBytes("hello\n"));
//   }
//
// What the handler leaves undone is visible to the client: without a response it gets a 500 (or the
// status of what was wrong with the request's body); a response that was begun and not finished
// breaks the connection, so that it never looks whole. When the client's connection is lost (reset,
// or closed both ways) the handler's fiber is cancelled. A client that only ended its own direction
// is waiting for its answer, and gets it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"
#include "wire/http/message.hpp"

namespace meridian::http {

// The head of a response. Fields that concern the connection or the framing (Connection,
// Content-Length, Transfer-Encoding, ...) are the server's and left out; Date is added if missing.
struct Response {
  int status = 200;              // 200 to 599
  std::string_view reason = {};  // empty: the standard one
  wire::http::FieldsView fields = {};
  // More fields, as lines that a cache keeps ready: "Name: value\r\n" each, of a message that was
  // parsed; Date among them, nothing that concerns the connection or the framing. May be empty.
  std::string_view lines = {};
  // With 426: the protocols that the request may be sent in again, for the Upgrade field (RFC 9110
  // 15.5.22).
  std::string_view upgrade = {};
  // Nothing more of the request's body will be read: unless little is left of it, the client is
  // told that the connection ends (RFC 9112 9.6). Respond does not read on in any case.
  bool leaves_body = false;
  // The body's length. Unknown: chunked, or until the end of the connection for HTTP/1.0. To HEAD
  // and in 304 it is only told.
  std::optional<uint64_t> content_length = {};
  // The connection ends with this response, whatever of the request has not come yet.
  bool close = false;
};

// A connection that left HTTP behind (101).
struct Upgraded {
  io::Stream& stream;
  Buffer& received;  // bytes that came already, to be read before the stream
};

class Exchange {
 public:
  virtual ~Exchange() = default;

  // Valid as long as the exchange. Its authority is in canonical form (wire/http/authority.hpp).
  virtual const wire::http::RequestHead& request() const = 0;
  virtual io::Loop& loop() const = 0;
  virtual Endpoint peer() const = 0;
  virtual bool secure() const = 0;  // it came by TLS
  // No request came before this one on its connection.
  bool first_on_connection() const { return first_on_connection_; }

  // The next bytes of the request's body, in the connection's buffer until the next call; empty at
  // the end. The first call sends 100 (Continue) to a client that waits for it. Errors: kInvalid,
  // kTooLarge, kTimeout (the client gets 400, 413, 408 unless a response was begun), kReset.
  virtual io::Task<Result<Bytes>> ReadBody() = 0;
  // All of the body, when it is there already and nothing of it was read: it may be looked at
  // again, and ReadBody still gives it. Nothing for a request without body.
  virtual std::optional<Bytes> BodyAtHand() = 0;
  // After the end of the body.
  virtual const wire::http::HeaderFields& request_trailers() const = 0;

  // Sends a 1xx other than 100 and 101, before the response. To HTTP/1.0 nothing is sent.
  virtual io::Task<Result<void>> SendInterim(int status, wire::http::FieldsView fields) = 0;

  // The whole response in one write. content_length is the body's unless given (for HEAD).
  virtual io::Task<Result<void>> Respond(Response response, Bytes body) = 0;

  // Or in parts. Start only prepares the head: it goes out with the first body bytes, or by Flush.
  // kInvalid: the head cannot be written (a field that would inject, a bad status).
  virtual Result<void> Start(const Response& response) = 0;
  virtual io::Task<Result<void>> Flush() = 0;
  // Waits while the client does not read. kInvalid: more than content_length.
  virtual io::Task<Result<void>> Write(Bytes data) = 0;
  // `last` are the last bytes of the body. Trailers are left out where there can be none.
  virtual io::Task<Result<void>> Finish(Bytes last, wire::http::FieldsView trailers) = 0;
  // Ends the connection so that the response cannot look whole.
  virtual void Break() = 0;

  bool started() const { return started_; }
  // Of the response that was begun; 0 before.
  int status() const { return status_; }
  // The same once all of the response was handed to the kernel; 0 before, and when it broke off.
  virtual int answered_status() const = 0;
  // What has been written to the client for this request, heads included.
  virtual uint64_t sent_bytes() const = 0;

  // Answers 101 with `protocol` in Upgrade, and hands the connection over until the handler
  // returns. kInvalid: the request asked for no upgrade, or has a body.
  virtual io::Task<Result<Upgraded>> Upgrade(std::string_view protocol,
                                             wire::http::FieldsView fields) = 0;

 protected:
  bool first_on_connection_ = true;
  bool started_ = false;
  int status_ = 0;
};

// A short text, for errors and the like, with its Content-Type.
io::Task<Result<void>> RespondText(Exchange& exchange, int status, std::string_view text);

}  // namespace meridian::http
