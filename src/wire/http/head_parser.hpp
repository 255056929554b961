// Parses request and response heads from bytes that arrive in pieces (RFC 9112 2 to 6). Strict:
// input that two parsers could read differently is refused. Pure; one parser per connection and
// direction, reused; parsing allocates nothing once the head's field list has grown to its working
// size.
//
//   HeadOutcome outcome = parser.Parse(buffer.text(), &head);
//   kNeedMore: call again with the same bytes and more behind them (they may have moved);
//   kDone:     `head` is views into the bytes; the next outcome.consumed bytes are the head;
//   kError:    answer StatusOf(outcome.error) and close the connection.
#pragma once

#include <string_view>

#include "wire/http/framing.hpp"
#include "wire/http/head_cursor.hpp"
#include "wire/http/limits.hpp"
#include "wire/http/message.hpp"

namespace meridian::wire::http {

class RequestHeadParser {
 public:
  explicit RequestHeadParser(const HeadLimits& limits = {}) : cursor_(limits) {}

  // Skips one CRLF in front of the request line (RFC 9112 2.2), counted as consumed. After kDone or
  // kError the next call begins a new head.
  HeadOutcome Parse(std::string_view input, RequestHead* head);

  // Drops a partly parsed head.
  void Reset();

 private:
  HeadCursor cursor_;
  const char* base_ = nullptr;  // the bytes to which the head's views point; null between heads
};

class ResponseHeadParser {
 public:
  explicit ResponseHeadParser(const HeadLimits& limits = {}) : cursor_(limits) {}

  // `request` is the kind of the answered request; it must be the same until the head is done.
  HeadOutcome Parse(std::string_view input, RequestKind request, ResponseHead* head);

  void Reset();

 private:
  HeadCursor cursor_;
  const char* base_ = nullptr;
};

}  // namespace meridian::wire::http
