// Requests of a Redis client from bytes that arrive in pieces (redis.io, "Redis serialization
// protocol specification"): arrays of bulk strings, which are the same in RESP2 and RESP3, and
// inline commands as people type them. Pure; one parser per connection, reused. Parsing copies
// nothing but the quoted words of an inline command, and allocates nothing once the list of
// arguments has grown to its working size.
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
  kTooBigCountString,      // of an array
  kInvalidArgumentCount,   // malformed, or past max_arguments
  kTooBigBulkCountString,  // of a bulk
  kExpectedBulk,           // something else than '$'
  kInvalidBulkLength,      // malformed, past max_bulk_bytes, or not what the bulk has
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

  // Of the requests that begin from now on.
  void set_limits(const RequestLimits& limits) { limits_ = limits; }

  // After kDone or kError the next call begins a new request.
  RequestOutcome Parse(std::string_view input);
  // Valid until the next Parse, and as long as the bytes stay where they are.
  Arguments arguments() const { return arguments_; }
  // How long the request that was begun is at the least: what is worth making room for.
  size_t least_bytes() const { return least_bytes_; }

 private:
  RequestOutcome Begin(std::string_view input);
  RequestOutcome ParseInline(std::string_view input);
  RequestOutcome ParseBulks(std::string_view input);
  RequestOutcome ParseCount(std::string_view input);
  RequestOutcome ParseBulkLength(std::string_view input);
  RequestOutcome Finish(size_t consumed);
  RequestOutcome Refuse(ProtocolError error, char unexpected = 0);
  RequestOutcome NeedMore(size_t least_bytes, std::string_view input);
  bool SplitWords(std::string_view line);
  void Rebase(std::string_view input);

  RequestLimits limits_;
  std::vector<std::string_view> arguments_;
  std::string unquoted_;        // of an inline request with quotes
  const char* base_ = nullptr;  // where the views point; null between requests
  int64_t missing_ = 0;         // arguments still to come
  int64_t bulk_bytes_ = -1;     // of the bulk that was begun; -1: none
  size_t position_ = 0;         // up to where the request is parsed
  size_t least_bytes_ = 0;
};

}  // namespace meridian::wire::resp
