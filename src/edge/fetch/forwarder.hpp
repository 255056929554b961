// Forwarder: sends a request to the upstreams of its route in turn until one answers, and relays
// that response. Owned by the edge; one thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "base/recurring_problem.hpp"
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
    kAnswered,     // the response was relayed
    kTaken,        // RelayOptions::takes took the response: `taken`
    kFailed,       // no answer: FailureStatus(error)
    kUnavailable,  // the route is empty
  };
  Kind kind = Kind::kUnavailable;
  Error error{Errc::kUnavailable, "no data center can serve this now"};
  std::unique_ptr<http::ClientExchange> taken = {};
  bool crosses = false;  // the answering upstream is in another data center
};

class Forwarder {
 public:
  Forwarder(Upstreams& upstreams, Metrics& metrics);

  // Relays `exchange` with `fields` in place of its own. The forwarder sets `options.declines`
  // itself. `record` gets the data center and instance that were asked last.
  io::Task<Forwarding> Forward(http::Exchange& exchange, const wire::http::HeaderFields& fields,
                               http::RelayOptions options, VisitorRecord& record);

  // Sends a request that belongs to no visitor; never kAnswered.
  io::Task<Forwarding> Ask(http::Request request);

  bool can_serve() const { return !upstreams_.RouteFor(false)->empty(); }

 private:
  // Both ask a hop once more when a reused connection turns out to be closed (RFC 9112 9.3.1): that
  // is not a failure of the upstream.
  static io::Task<http::ForwardOutcome> ForwardTo(const Hop& hop, http::Exchange& exchange,
                                                  const wire::http::HeaderFields& fields,
                                                  http::RelayOptions options,
                                                  VisitorRecord& record);
  static io::Task<Forwarding> AskHop(const Hop& hop, const http::Request& request);

  // Logs the first failure of an upstream, reminders while it fails, and its end.
  void RecordProblem(const Hop& hop, const Error& error, TimePoint now);
  void RecordAnswer(const Hop& hop, TimePoint now);

  struct Problem {
    RecurringProblem log;
    TimePoint last;  // failure
  };

  Upstreams& upstreams_;
  Counter& crossings_;
  // Of the upstreams that fail, by name: at most those of a route.
  std::map<std::string, Problem, std::less<>> problems_;
};

}  // namespace meridian::edge
