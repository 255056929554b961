// RequestParser: parses requests of a Redis client from bytes that arrive in pieces (redis.io,
// "Redis serialization protocol specification"): arrays of bulk strings, which are the same in
// RESP2 and RESP3, and inline commands as people type them. Pure; one parser per connection,
// reused. Parsing copies only the quoted words of an inline command, and allocates nothing once the
// list of arguments has grown to its working size.
//
//   RequestOutcome outcome = parser.Parse(buffer.text());
//   kNeedMore: call again with the same bytes and more behind them (they may have moved);
//   kDone:     parser.arguments() are views into the bytes; the next outcome.consumed bytes are the
//              request. No arguments at all: an empty request, which has no reply;
//   kError:    send ProtocolErrorText and close the connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wire/resp/limits.hpp"

namespace meridian::wire::resp {

using Arguments = std::span<const std::string_view>;

enum class ProtocolError : uint8_t {
  kTooBigInlineRequest,
  kUnbalancedQuotes,
  kTooBigCountString,      // count of an array
  kInvalidArgumentCount,   // malformed, or past max_arguments
  kTooBigBulkCountString,  // length of a bulk
  kExpectedBulk,           // a byte other than '$'
  kInvalidBulkLength,      // malformed, past max_bulk_bytes, or not the bulk's real length
  kUnauthenticatedArguments,
  kUnauthenticatedBulk,
};

struct RequestOutcome {
  enum class State : uint8_t { kNeedMore, kDone, kError };

  State state = State::kNeedMore;
  ProtocolError error{};
  char unexpected = 0;  // with kExpectedBulk
  size_t consumed = 0;
};

// "Protocol error: …", as Redis words it.
std::string ProtocolErrorText(const RequestOutcome& outcome);

class RequestParser {
 public:
  explicit RequestParser(const RequestLimits& limits = {}) : limits_(limits) {}

  // Sets the limits of requests that begin after the call.
  void set_limits(const RequestLimits& limits) { limits_ = limits; }

  // After kDone or kError the next call begins a new request.
  RequestOutcome Parse(std::string_view input);
  // Valid until the next Parse, and as long as the bytes stay in place.
  Arguments arguments() const { return arguments_; }
  // The minimum size of the partly received request, as a hint for the buffer's size.
  size_t min_bytes() const { return min_bytes_; }

 private:
  RequestOutcome Begin(std::string_view input);
  RequestOutcome ParseInline(std::string_view input);
  RequestOutcome ParseBulks(std::string_view input);
  RequestOutcome ParseCount(std::string_view input);
  RequestOutcome ParseBulkLength(std::string_view input);
  RequestOutcome Finish(size_t consumed);
  RequestOutcome Refuse(ProtocolError error, char unexpected = 0);
  RequestOutcome NeedMore(size_t min_bytes, std::string_view input);
  bool SplitWords(std::string_view line);
  void Rebase(std::string_view input);

  RequestLimits limits_;
  std::vector<std::string_view> arguments_;
  std::string unquoted_;        // words of an inline request with quotes
  const char* base_ = nullptr;  // the bytes to which the views point; null between requests
  int64_t missing_ = 0;         // arguments not received yet
  int64_t bulk_bytes_ = -1;     // length of the partly received bulk; -1: none
  size_t position_ = 0;         // end of the parsed part of the request
  size_t min_bytes_ = 0;
};

}  // namespace meridian::wire::resp
