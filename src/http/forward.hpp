// ForwardOnce: sends a request to one upstream once, and tells whether it may be sent to another
// upstream afterwards. The retries of edge and balancer are built on it.
#pragma once

#include <memory>

#include "http/relay.hpp"

namespace meridian::http {

struct ForwardOutcome {
  enum class Kind : uint8_t {
    kAnswered,   // the response was relayed, or the visitor failed: no further action
    kElsewhere,  // no response; the request may be sent to another upstream
    kFailed,     // no response, and the request must not be repeated: answer with FailureStatus
    kTaken,      // RelayOptions::takes returned true: only the head of `taken` was read
  };
  Kind kind = Kind::kAnswered;
  // Set for kElsewhere and kFailed, and for kAnswered if the exchange was not completed; otherwise
  // meaningless.
  Error error = {};
  bool broken = false;      // kAnswered, but the upstream's response was cut off
  bool never_sent = false;  // kElsewhere and kFailed: no byte of the request reached the upstream
  bool reused = false;      // kElsewhere and kFailed: it was sent on a reused connection
  std::unique_ptr<ClientExchange> taken = {};  // kTaken
};

// Sends the request of `exchange` with `fields` to `upstream` and relays the response. Another
// upstream may get the request (kElsewhere) if
// - no byte of it reached this upstream, or
// - no byte of its body was taken from the visitor by Exchange::ReadBody, and either
//   RelayOptions::declines refused the response, or the method is idempotent (RFC 9110 9.2.2) and
//   no response was begun.
io::Task<ForwardOutcome> ForwardOnce(Exchange& exchange, const wire::http::HeaderFields& fields,
                                     Client& upstream, const RelayOptions& options);

// The status for a failure of an upstream: 504 for a timeout, else 502.
int FailureStatus(const Error& error);

}  // namespace meridian::http
