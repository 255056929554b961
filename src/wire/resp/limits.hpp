// The limits of the RESP codec. Members of RequestLimits may differ per deployment or connection;
// limits that only attackers reach are constants.
#pragma once

#include <cstddef>
#include <cstdint>

namespace meridian::wire::resp {

struct RequestLimits {
  // Arguments of one request, including the command's name. Past it: "invalid multibulk length".
  int64_t max_arguments = int64_t{1024} * 1024;
  // Size of one argument. Past it: "invalid bulk length".
  int64_t max_bulk_bytes = int64_t{64} * 1024 * 1024;
  // Size of a request. Past it: "invalid bulk length", or "invalid multibulk length".
  size_t max_request_bytes = size_t{128} * 1024 * 1024;
  // Past the limits the errors say that the client is unauthenticated.
  bool unauthenticated = false;
};

// The limits of an unauthenticated client (as in Redis since 7.0.5).
constexpr RequestLimits kUnauthenticatedLimits{.max_arguments = 10,
                                               .max_bulk_bytes = 16384,
                                               .max_request_bytes = size_t{256} * 1024,
                                               .unauthenticated = true};

// Size of an inline request, or of a line with a count, including its line end.
constexpr size_t kMaxInlineBytes = size_t{64} * 1024;
// Digits of a count, including the sign: those of a 64-bit number.
constexpr size_t kMaxCountDigits = 20;

}  // namespace meridian::wire::resp
