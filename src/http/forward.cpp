#include "http/forward.hpp"

#include <memory>
#include <utility>

#include "base/result.hpp"
#include "http/client/client.hpp"
#include "http/client/client_exchange.hpp"
#include "http/exchange.hpp"
#include "http/relay.hpp"
#include "io/task.hpp"
#include "wire/http/message.hpp"
#include "wire/http/status.hpp"

namespace meridian::http {

int FailureStatus(const Error& error) { return error.code == Errc::kTimeout ? 504 : 502; }

io::Task<ForwardOutcome> ForwardOnce(Exchange& exchange, const wire::http::HeaderFields& fields,
                                     Client& upstream, const RelayOptions& options) {
  using Kind = ForwardOutcome::Kind;
  bool idempotent = wire::http::IsIdempotentMethod(exchange.request().method);
  Request request = ForwardedRequest(exchange, fields);
  if (request.host.empty()) request.host = options.default_host;
  Sent sent = co_await upstream.Send(request);
  if (!sent) {
    bool again = sent.error().never_sent || idempotent;
    co_return ForwardOutcome{.kind = again ? Kind::kElsewhere : Kind::kFailed,
                             .error = std::move(sent.error().error),
                             .never_sent = sent.error().never_sent};
  }
  RelayOutcome relayed = co_await Relay(exchange, *sent, options);
  switch (relayed.kind) {
    case RelayOutcome::Kind::kAnswered:
      co_return ForwardOutcome{};
    case RelayOutcome::Kind::kBroken:
      co_return ForwardOutcome{.error = std::move(relayed.error), .broken = !relayed.client_failed};
    case RelayOutcome::Kind::kTaken: {
      ForwardOutcome outcome{.kind = Kind::kTaken};
      outcome.taken = std::make_unique<ClientExchange>(std::move(*sent));
      co_return outcome;
    }
    case RelayOutcome::Kind::kUnanswered:
      break;
  }
  if (relayed.client_failed) co_return ForwardOutcome{.error = std::move(relayed.error)};
  bool again = !relayed.body_taken && (relayed.declined || idempotent);
  co_return ForwardOutcome{.kind = again ? Kind::kElsewhere : Kind::kFailed,
                           .error = std::move(relayed.error),
                           .reused = sent->reused()};
}

}  // namespace meridian::http
