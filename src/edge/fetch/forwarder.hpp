// Forwarder: sends a request to the first upstream of its route that answers, and relays what that
// says. Owned by the edge; one thread.
#pragma once

#include <memory>
#include <string_view>

#include "base/metrics.hpp"
#include "edge/fetch/upstreams.hpp"
#include "edge/visitors/visitor_record.hpp"
#include "http/client/client_exchange.hpp"
#include "http/exchange.hpp"
#include "http/forward.hpp"
#include "http/relay.hpp"
#include "io/task.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {

struct Forwarding {
  enum class Kind : uint8_t {
    kAnswered,     // nothing is left to do
    kTaken,        // RelayOptions::takes said so
    kFailed,       // no answer: FailureStatus(error)
    kUnavailable,  // there was nobody to send it to
  };
  Kind kind = Kind::kUnavailable;
  Error error{Errc::kUnavailable, "no data center can serve this now"};
  std::unique_ptr<http::ClientExchange> taken = {};
  bool crosses = false;  // whoever answered is in another data center
};

class Forwarder {
 public:
  Forwarder(Upstreams& upstreams, Metrics& metrics);

  // Relays `exchange` with `fields` in place of its own. `options` without `declines`, which is
  // this one's matter. `record` is told which data center and instance were asked last.
  io::Task<Forwarding> Forward(http::Exchange& exchange, const wire::http::HeaderFields& fields,
                               http::RelayOptions options, VisitorRecord& record);

  // Asks on nobody's behalf: never kAnswered.
  io::Task<Forwarding> Ask(http::Request request);

  bool can_serve() const { return !upstreams_.RouteFor(false)->empty(); }

 private:
  // Each asks a hop once more when the connection turns out to have ended since its last use (RFC
  // 9112 9.3.1): that is no failure of the upstream.
  static io::Task<http::ForwardOutcome> ForwardTo(const Hop& hop, http::Exchange& exchange,
                                                  const wire::http::HeaderFields& fields,
                                                  http::RelayOptions options,
                                                  VisitorRecord& record);
  static io::Task<Forwarding> AskOne(const Hop& hop, const http::Request& request);

  Upstreams& upstreams_;
  Counter& crossings_;
};

}  // namespace meridian::edge
