// ForwardOnce: one try of a request at one upstream, and whether another try elsewhere is allowed.
// What edge and balancer build their retries on.
#pragma once

#include <memory>

#include "http/relay.hpp"

namespace meridian::http {

struct ForwardOutcome {
  enum class Kind : uint8_t {
    kAnswered,   // the exchange is over, well or broken off: nothing is left to do
    kElsewhere,  // no answer; the request may be sent to another upstream
    kFailed,     // no answer, and it must not be sent again: answer with FailureStatus
    kTaken,      // RelayOptions::takes said so: `taken` is at the head of its response
  };
  Kind kind = Kind::kAnswered;
  Error error = {};         // unless kAnswered in good order
  bool broken = false;      // kAnswered, but the upstream broke its response off
  bool never_sent = false;  // the upstream saw nothing of it
  bool reused = false;      // it went by a connection that had served others
  std::unique_ptr<ClientExchange> taken = {};
};

// Sends the request of `exchange` with `fields` to `upstream` and relays the answer. Sending it
// again is allowed when this upstream saw nothing of it, or declined it, or when its method is
// idempotent (RFC 9110 9.2.2), nothing came back, and its body was not begun.
io::Task<ForwardOutcome> ForwardOnce(Exchange& exchange, const wire::http::HeaderFields& fields,
                                     Client& upstream, const RelayOptions& options);

// The status that tells a client of an upstream's failure: 504 when that was too slow, else 502.
int FailureStatus(const Error& error);

}  // namespace meridian::http
