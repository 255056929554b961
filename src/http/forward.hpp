// ForwardOnce: one attempt of a request at one upstream, and whether another attempt elsewhere is
// allowed. Edge and balancer build their retries on it.
#pragma once

#include <memory>

#include "http/relay.hpp"

namespace meridian::http {

struct ForwardOutcome {
  enum class Kind : uint8_t {
    kAnswered,   // the exchange is over, complete or aborted; no further action
    kElsewhere,  // no answer; the request may be sent to another upstream
    kFailed,     // no answer, and the request must not be repeated: answer with FailureStatus
    kTaken,      // RelayOptions::takes returned true: `taken` is at the head of its response
  };
  Kind kind = Kind::kAnswered;
  Error error = {};         // unless kAnswered with a complete response
  bool broken = false;      // kAnswered, but the upstream's response was cut off
  bool never_sent = false;  // no byte reached the upstream
  bool reused = false;      // it was sent on a reused connection
  std::unique_ptr<ClientExchange> taken = {};
};

// Sends the request of `exchange` with `fields` to `upstream` and relays the answer. Repeating it
// is allowed when no byte reached this upstream, when RelayOptions::declines refused its response,
// or when its method is idempotent (RFC 9110 9.2.2), no response arrived, and its body was not
// begun.
io::Task<ForwardOutcome> ForwardOnce(Exchange& exchange, const wire::http::HeaderFields& fields,
                                     Client& upstream, const RelayOptions& options);

// The status for a failure of an upstream: 504 for a timeout, else 502.
int FailureStatus(const Error& error);

}  // namespace meridian::http
