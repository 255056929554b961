// Exchange: one request and its response, for a server's handler, independent of the HTTP version.
// Owned by the connection; valid until the handler returns. One thread; one fiber may read the
// request while another writes the response.
//
//   io::Task<void> Hello(http::Exchange& exchange) {
//     (void)co_await exchange.Respond({.status = 200}, AsBytes("hello\n"));
//   }
//
// If the handler sends no response, the client gets a 500 (or the status for the error of the
// request's body). If it does not finish a response, the connection is aborted, so that the
// response never looks whole. When the client's connection is lost (reset, or closed in both
// directions), the handler's fiber is cancelled. A half-closed client still gets its answer.
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

// The head of a response. Fields of the connection and the framing (Connection, Content-Length,
// Transfer-Encoding, ...) are left out: the server writes its own. It adds Date if missing.
struct Response {
  int status = 200;              // 200 to 599
  std::string_view reason = {};  // empty: the standard reason
  wire::http::FieldsView fields = {};
  // More fields, as lines that a cache keeps: "Name: value\r\n" each, from a parsed message, with
  // Date, without fields of the connection or the framing. May be empty.
  std::string_view lines = {};
  // With 426: the protocols in which the request may be repeated, for the Upgrade field (RFC 9110
  // 15.5.22).
  std::string_view upgrade = {};
  // The handler will read no more of the request's body. Unless little of it is left, the response
  // announces the end of the connection (RFC 9112 9.6). Respond never reads on.
  bool leaves_body = false;
  // The body's length. Without it the body is chunked, or ends with the connection (HTTP/1.0). For
  // HEAD and 304 only the field is sent.
  std::optional<uint64_t> content_length = {};
  // The connection ends with this response, even if part of the request has not arrived.
  bool close = false;
};

// A connection after a switch of protocols (101).
struct Upgraded {
  io::Stream& stream;
  Buffer& received;  // bytes that already arrived; read them before the stream
};

class Exchange {
 public:
  virtual ~Exchange() = default;

  // Valid as long as the exchange. The authority is in canonical form (wire/http/authority.hpp).
  virtual const wire::http::RequestHead& request() const = 0;
  virtual io::Loop& loop() const = 0;
  virtual Endpoint peer() const = 0;
  virtual bool secure() const = 0;  // the request came over TLS
  // Whether this is the first request on its connection.
  bool first_on_connection() const { return first_on_connection_; }

  // The next bytes of the request's body, in the connection's buffer until the next call; empty at
  // the end. The first call sends 100 (Continue) to a client that waits for it. Errors: kInvalid,
  // kTooLarge, kTimeout (the client gets 400, 413, 408 unless a response was begun), kReset.
  virtual io::Task<Result<Bytes>> ReadBody() = 0;
  // The whole body, if all of it has arrived and nothing of it was read. ReadBody still returns it.
  // Nothing for a request without body.
  virtual std::optional<Bytes> BodyAtHand() = 0;
  // Valid after the end of the body.
  virtual const wire::http::HeaderFields& request_trailers() const = 0;

  // Sends a 1xx other than 100 and 101, before the response. Not sent to HTTP/1.0 clients.
  virtual io::Task<Result<void>> SendInterim(int status, wire::http::FieldsView fields) = 0;

  // Sends the whole response in one write. content_length defaults to the body's length (give it
  // for HEAD).
  virtual io::Task<Result<void>> Respond(Response response, Bytes body) = 0;

  // Begins a response that is sent in parts. The head is sent with the first body bytes, or by
  // Flush. kInvalid: the head cannot be written (a field that would inject, a bad status).
  virtual Result<void> Start(const Response& response) = 0;
  virtual io::Task<Result<void>> Flush() = 0;
  // Waits while the client does not read. kInvalid: more bytes than content_length.
  virtual io::Task<Result<void>> Write(Bytes data) = 0;
  // `last` are the last bytes of the body. Trailers are left out where the framing has none.
  virtual io::Task<Result<void>> Finish(Bytes last, wire::http::FieldsView trailers) = 0;
  // Aborts the connection, so that the response does not look whole.
  virtual void Break() = 0;

  bool started() const { return started_; }
  // The status of the begun response; 0 before.
  int status() const { return status_; }
  // The status, once the kernel took the whole response; 0 before, and when it was aborted.
  virtual int answered_status() const = 0;
  // Bytes written to the client for this request, heads included.
  virtual uint64_t sent_bytes() const = 0;

  // Answers 101 with `protocol` in Upgrade, and gives the connection to the handler until it
  // returns. kInvalid: the request asked for no upgrade, or has a body.
  virtual io::Task<Result<Upgraded>> Upgrade(std::string_view protocol,
                                             wire::http::FieldsView fields) = 0;

 protected:
  bool first_on_connection_ = true;
  bool started_ = false;
  int status_ = 0;
};

// Responds with a short text and its Content-Type, for errors and the like.
io::Task<Result<void>> RespondText(Exchange& exchange, int status, std::string_view text);

}  // namespace meridian::http
