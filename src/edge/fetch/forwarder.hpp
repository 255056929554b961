// Forwarder: sends a request to the upstreams of its route in turn, until an upstream answers or a
// retry is no longer allowed (http/forward.hpp), and relays the response. Owned by the edge; one
// thread: the loop's.
//
// An upstream declines a request by a 503 with Meridian-Unavailable: none of its instances has seen
// the request, so the next upstream may get it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/metrics.hpp"
#include "edge/fetch/upstreams.hpp"
#include "edge/upstream_problems.hpp"
#include "edge/visitors/visitor_record.hpp"
#include "http/client/client_exchange.hpp"
#include "http/exchange.hpp"
#include "http/forward.hpp"
#include "http/relay.hpp"
#include "io/task.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {

struct ForwardResult {
  enum class Kind : uint8_t {
    kAnswered,     // the response was relayed, or the exchange was aborted: no further action
    kTaken,        // the head of `taken` was read, its body was not
    kFailed,       // no answer: http::FailureStatus(error)
    kUnavailable,  // no upstream can serve it now: the route is empty, the last upstream declined
                   // it or failed with Errc::kUnavailable, or the own dispatcher has no instance
                   // for it or too many requests in its queue
  };
  Kind kind = Kind::kUnavailable;
  // For kFailed and kUnavailable. kCancelled: the fiber was cancelled.
  Error error{Errc::kUnavailable, "no data center can serve this now"};
  std::unique_ptr<http::ClientExchange> taken = {};
  bool crosses = false;  // the answering upstream is in another data center
};

class Forwarder {
 public:
  Forwarder(Upstreams& upstreams, UpstreamProblems& problems, Metrics& metrics);

  // Forwards the request of `exchange` with `fields` in place of its own, and relays the response.
  // The forwarder sets `options.declines` and `edit_interim` itself. `record` gets the data center
  // and the instance that were tried last.
  io::Task<ForwardResult> Forward(http::Exchange& exchange, const wire::http::HeaderFields& fields,
                                  http::RelayOptions options, VisitorRecord& record);

  // Sends a request that belongs to no visitor. Its method must be idempotent: after a failure the
  // next upstream gets it. kTaken has the response's head; kAnswered means that the fiber was
  // cancelled.
  io::Task<ForwardResult> Ask(http::Request request);

  bool can_serve() const { return !upstreams_.RouteFor(false)->empty(); }

 private:
  // Both send the request to the upstream `hop` once more when a reused connection turns out to be
  // closed (RFC 9112 9.3.1): that is not a failure of the upstream.
  static io::Task<http::ForwardOutcome> ForwardTo(const Hop& hop, http::Exchange& exchange,
                                                  const wire::http::HeaderFields& fields,
                                                  http::RelayOptions options,
                                                  VisitorRecord& record);
  static io::Task<ForwardResult> AskHop(const Hop& hop, const http::Request& request);

  Upstreams& upstreams_;
  UpstreamProblems& problems_;
  Counter& crossings_;
};

}  // namespace meridian::edge
