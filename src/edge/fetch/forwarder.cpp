#include "edge/fetch/forwarder.hpp"

#include <memory>
#include <string_view>
#include <utility>

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "base/result.hpp"
#include "dispatch/dispatcher.hpp"
#include "dispatch/instance.hpp"  // IWYU pragma: keep (Outcome::at)
#include "edge/fetch/routes.hpp"
#include "edge/fetch/upstreams.hpp"
#include "edge/upstream_problems.hpp"
#include "edge/visitors/visitor_record.hpp"
#include "http/client/client.hpp"
#include "http/client/client_exchange.hpp"
#include "http/exchange.hpp"
#include "http/forward.hpp"
#include "http/relay.hpp"
#include "io/task.hpp"
#include "site/tier/internal_fields.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {
namespace {

using Kind = ForwardResult::Kind;

bool Declines(const wire::http::ResponseHead& upstream) {
  return upstream.status == 503 && upstream.fields.Has(site::kUnavailableField);
}

// Whether a reused connection turned out to be closed by the upstream.
bool HadEnded(bool reused, const Error& error) { return reused && error.code == Errc::kReset; }

// The result when the last upstream of a route has not answered.
ForwardResult Unanswered(Error error) {
  Kind kind = error.code == Errc::kUnavailable ? Kind::kUnavailable : Kind::kFailed;
  return {.kind = kind, .error = std::move(error)};
}

ForwardResult FromOutcome(dispatch::Outcome outcome) {
  using From = dispatch::Outcome::Kind;
  switch (outcome.kind) {
    case From::kAnswered:
      return {.kind = Kind::kAnswered, .error = std::move(outcome.error)};
    case From::kTaken:
      return {.kind = Kind::kTaken, .taken = std::move(outcome.taken)};
    case From::kFailed:
      return {.kind = Kind::kFailed, .error = std::move(outcome.error)};
    case From::kUnavailable:
    case From::kBusy:
      return {.kind = Kind::kUnavailable, .error = std::move(outcome.error)};
  }
}

}  // namespace

Forwarder::Forwarder(Upstreams& upstreams, UpstreamProblems& problems, Metrics& metrics)
    : upstreams_(upstreams),
      problems_(problems),
      crossings_(metrics.AddCounter("meridian_edge_crossings_total",
                                    "Requests forwarded to another data center.")) {}

io::Task<ForwardResult> Forwarder::Forward(http::Exchange& exchange,
                                           const wire::http::HeaderFields& fields,
                                           http::RelayOptions options, VisitorRecord& record) {
  int edges = 0;
  exchange.request().fields.ForEach("Via", [&](std::string_view via) { edges += CountEdges(via); });
  // The view may change while this request is on its way.
  const Route route = upstreams_.RouteFor(edges > 0);
  ForwardResult last;
  for (const Hop& hop : *route) {
    record.datacenter = hop.datacenter;
    record.instance.Set("");
    if (hop.dispatcher != nullptr) {
      dispatch::Outcome outcome =
          co_await hop.dispatcher->Forward({.exchange = exchange,
                                            .fields = fields,
                                            .relay = options,
                                            .debug = fields.Find(site::kDebugField) == "1"});
      if (outcome.at) record.instance.Set(outcome.at->id);
      bool over = outcome.kind != dispatch::Outcome::Kind::kUnavailable;
      last = FromOutcome(std::move(outcome));
      if (over) co_return last;
      continue;
    }
    if (hop.crosses) crossings_.Add();
    http::ForwardOutcome outcome = co_await ForwardTo(hop, exchange, fields, options, record);
    const TimePoint now = exchange.loop().Now();
    const bool answered = outcome.kind == http::ForwardOutcome::Kind::kAnswered ||
                          outcome.kind == http::ForwardOutcome::Kind::kTaken;
    if (answered && !outcome.broken && outcome.error.code != Errc::kCancelled) {
      problems_.OnAnswer(hop.name, now);
    }
    if (outcome.kind == http::ForwardOutcome::Kind::kAnswered) {
      co_return ForwardResult{.kind = Kind::kAnswered, .crosses = hop.crosses};
    }
    if (outcome.kind == http::ForwardOutcome::Kind::kTaken) {
      co_return ForwardResult{
          .kind = Kind::kTaken, .taken = std::move(outcome.taken), .crosses = hop.crosses};
    }
    if (outcome.error.code != Errc::kCancelled) problems_.OnFailure(hop.name, outcome.error, now);
    last = Unanswered(std::move(outcome.error));
    if (outcome.kind == http::ForwardOutcome::Kind::kFailed) break;
  }
  co_return last;
}

io::Task<http::ForwardOutcome> Forwarder::ForwardTo(const Hop& hop, http::Exchange& exchange,
                                                    const wire::http::HeaderFields& fields,
                                                    http::RelayOptions options,
                                                    VisitorRecord& record) {
  using Kind = http::ForwardOutcome::Kind;
  options.declines = [&](const wire::http::ResponseHead& upstream) {
    // The internal fields of an origin outside the site mean nothing.
    if (hop.crosses) {
      record.instance.Set(upstream.fields.Find(site::kInstanceField).value_or(""));
    }
    return Declines(upstream);
  };
  options.edit_interim = site::RemoveInternalFields;
  http::ForwardOutcome outcome = co_await http::ForwardOnce(exchange, fields, *hop.client, options);
  bool stale = outcome.kind == Kind::kElsewhere && HadEnded(outcome.reused, outcome.error);
  if (!stale) co_return outcome;
  hop.client->CloseIdle();  // likely the others have ended too
  co_return co_await http::ForwardOnce(exchange, fields, *hop.client, options);
}

io::Task<ForwardResult> Forwarder::Ask(http::Request request) {
  const Route route = upstreams_.RouteFor(false);
  ForwardResult last;
  for (const Hop& hop : *route) {
    if (hop.dispatcher != nullptr) {
      dispatch::Outcome outcome = co_await hop.dispatcher->Fetch(request);
      bool busy = outcome.kind == dispatch::Outcome::Kind::kBusy;
      last = FromOutcome(std::move(outcome));
      if (busy) break;
    } else {
      if (hop.crosses) crossings_.Add();
      last = co_await AskHop(hop, request);
    }
    if (last.kind == Kind::kTaken || last.error.code == Errc::kCancelled) break;
  }
  co_return last;
}

io::Task<ForwardResult> Forwarder::AskHop(const Hop& hop, const http::Request& request) {
  for (bool again = false;; again = true) {
    http::Sent sent = co_await hop.client->Send(request);
    if (!sent) co_return Unanswered(std::move(sent.error().error));
    auto taken = std::make_unique<http::ClientExchange>(std::move(*sent));
    Result<const wire::http::ResponseHead*> head = co_await taken->ReadHead();
    while (head && (*head)->is_interim()) head = co_await taken->ReadHead();
    if (head && Declines(**head)) {
      co_return Unanswered({Errc::kUnavailable, "the upstream's answer was declined"});
    }
    if (head) {
      co_return ForwardResult{
          .kind = Kind::kTaken, .taken = std::move(taken), .crosses = hop.crosses};
    }
    if (again || !HadEnded(taken->reused(), head.error())) {
      co_return Unanswered(std::move(head.error()));
    }
    hop.client->CloseIdle();  // likely the others have ended too
  }
}

}  // namespace meridian::edge
