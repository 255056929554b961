#include "http/forward.hpp"

#include <algorithm>
#include <array>

namespace meridian::http {

bool IsIdempotent(std::string_view method) {
  static constexpr std::array<std::string_view, 6> kIdempotent = {"GET",    "HEAD",    "PUT",
                                                                  "DELETE", "OPTIONS", "TRACE"};
  return std::ranges::find(kIdempotent, method) != kIdempotent.end();
}

int FailureStatus(const Error& error) { return error.code == Errc::kTimeout ? 504 : 502; }

io::Task<ForwardOutcome> ForwardOnce(Exchange& exchange, const wire::http::HeaderFields& fields,
                                     Client& upstream, const RelayOptions& options) {
  using Kind = ForwardOutcome::Kind;
  bool idempotent = IsIdempotent(exchange.request().method);
  Sent sent = co_await upstream.Send(ForwardedRequest(exchange, fields));
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
    case RelayOutcome::Kind::kUnanswered:
      break;
  }
  if (relayed.client_failed) co_return ForwardOutcome{.error = std::move(relayed.error)};
  bool again = !relayed.body_taken && (relayed.declined || idempotent);
  co_return ForwardOutcome{.kind = again ? Kind::kElsewhere : Kind::kFailed,
                           .error = std::move(relayed.error)};
}

}  // namespace meridian::http
