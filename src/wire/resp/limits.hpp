// The limits of the RESP codec. What a deployment or the state of a connection may change is a
// member of RequestLimits; what only an attacker meets is a constant.
#pragma once

#include <cstddef>
#include <cstdint>

namespace meridian::wire::resp {

struct RequestLimits {
  // Arguments of one request, its command's name included. Past it: "invalid multibulk length".
  int64_t max_arguments = int64_t{1024} * 1024;
  // One argument. Past it: "invalid bulk length".
  int64_t max_bulk_bytes = int64_t{64} * 1024 * 1024;
  // All of a request. Past it: "invalid bulk length", or "invalid multibulk length".
  size_t max_request_bytes = size_t{128} * 1024 * 1024;
  // Past the limits the errors say that it is for want of a password.
  bool unauthenticated = false;
};

// What somebody who has not shown a password may send (as Redis has it since 7.0.5).
constexpr RequestLimits kUnauthenticatedLimits{.max_arguments = 10,
                                               .max_bulk_bytes = 16384,
                                               .max_request_bytes = size_t{256} * 1024,
                                               .unauthenticated = true};

// An inline request, or a line that states a count, with its line end.
constexpr size_t kMaxInlineBytes = size_t{64} * 1024;
// The digits of a count: as many as a 64-bit number has, with its sign.
constexpr size_t kMaxCountDigits = 20;

}  // namespace meridian::wire::resp
