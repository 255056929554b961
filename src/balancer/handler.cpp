#include "balancer/handler.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "dispatch/config.hpp"
#include "dispatch/dispatcher.hpp"
#include "dispatch/limits.hpp"
#include "http/exchange.hpp"
#include "http/forward.hpp"
#include "http/relay.hpp"
#include "http/server/server_metrics.hpp"
#include "io/task.hpp"
#include "site/tier/internal_fields.hpp"
#include "wire/http/fields/field_role.hpp"
#include "wire/http/fields/trace_context.hpp"
#include "wire/http/message.hpp"

namespace meridian::balancer {

using dispatch::Outcome;
using wire::http::HeaderFields;

Handler::Handler(dispatch::Dispatcher& dispatcher, const dispatch::Config& config,
                 std::optional<IpAddress> edge, Metrics& metrics)
    : dispatcher_(dispatcher),
      config_(config),
      edge_(edge),
      unavailable_(metrics.AddCounter("meridian_balancer_unavailable_total",
                                      "Requests that no instance could be given.")),
      random_(EntropySeed()) {
  for (size_t i = 0; i < durations_.size(); ++i) {
    durations_[i] = &metrics.AddDurations("meridian_balancer_request_duration_seconds",
                                          "From the head of a request to the end of its response.",
                                          {{"code", http::ServerMetrics::kStatusClasses[i]}});
  }
}

wire::http::SenderTrust Handler::TrustIn(const http::Exchange& exchange) const {
  const IpAddress peer = exchange.peer().address.Unmapped();
  const bool is_edge = IsEdge(exchange);
  const bool is_proxy = std::ranges::any_of(
      config_.forwarded_from, [&](const IpPrefix& prefix) { return prefix.Contains(peer); });
  // An edge has dropped names with `_` already, unless its settings say otherwise.
  return {.is_edge = is_edge || is_proxy, .underscores = is_edge || config_.underscores};
}

io::Task<void> Handler::Handle(http::Exchange& exchange) {
  const TimePoint begun = exchange.loop().Now();
  co_await Forward(exchange);
  const auto status_class = static_cast<size_t>(exchange.answered_status() / 100);
  durations_[status_class]->Add(exchange.loop().Now() - begun);
}

io::Task<void> Handler::Forward(http::Exchange& exchange) {
  const wire::http::RequestHead& request = exchange.request();
  const wire::http::SenderTrust sender = TrustIn(exchange);
  HeaderFields fields;
  http::CopyRequestFields(request, sender, &fields);
  fields.Add("Via", request.minor_version == 0 ? "1.0 meridian-balancer" : "1.1 meridian-balancer");
  std::string address;
  std::optional<wire::http::RequestIds> ids;
  const http::RelayOptions relay{.sender = sender};
  if (!sender.is_edge) {
    address = exchange.peer().address.Unmapped().ToString();
    fields.Add(wire::http::kForwardedFor, address);
    fields.Add(wire::http::kForwardedProto, "http");
    fields.Add(wire::http::kForwardedHost, request.authority);
  }
  // The instance's address is for operators: only edges know who may ask for it.
  const bool is_edge = IsEdge(exchange);
  if (!is_edge) {
    // Proxies are trusted, but may send no such field.
    for (std::string_view name : {wire::http::kRequestIdField, wire::http::kTraceParentField,
                                  wire::http::kTraceStateField, site::kDebugField}) {
      fields.Remove(name);
    }
    ids.emplace(request, random_);
    ids->AddTo(request, &fields);
  }
  Outcome outcome = co_await dispatcher_.Forward(
      {.exchange = exchange,
       .fields = fields,
       .relay = relay,
       .debug = is_edge && request.fields.Find(site::kDebugField) == "1",
       .names_instance = is_edge});
  if (outcome.kind != Outcome::Kind::kAnswered) co_await AnswerFailure(exchange, outcome);
}

io::Task<void> Handler::AnswerFailure(http::Exchange& exchange, const Outcome& outcome) {
  if (outcome.kind == Outcome::Kind::kFailed) {
    (void)co_await http::RespondText(exchange, http::FailureStatus(outcome.error),
                                     "no instance could answer\n");
    co_return;
  }
  unavailable_.Add();
  std::string retry_after = fmt::format("{}", dispatch::kRetryAfterSeconds);
  HeaderFields fields;
  fields.Add("Content-Type", "text/plain; charset=utf-8");
  fields.Add("Retry-After", retry_after);
  // Requests beyond the limit here must not go on to overload another data center.
  if (outcome.kind == Outcome::Kind::kUnavailable) fields.Add(site::kUnavailableField, "1");
  std::string text = outcome.error.message + "\n";
  (void)co_await exchange.Respond({.status = 503, .fields = fields}, AsBytes(text));
}

}  // namespace meridian::balancer
