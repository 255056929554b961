#include "agent/admin/admin_engines.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "agent/admin/engine_route.hpp"
#include "agent/agent.hpp"
#include "agent/context.hpp"
#include "agent/engines/engine_access.hpp"
#include "agent/engines/engine_child.hpp"
#include "agent/engines/engines.hpp"
#include "agent/limits.hpp"
#include "agent/peers/peer_poller.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"
#include "http/client/client.hpp"
#include "http/client/fetch.hpp"
#include "http/exchange.hpp"
#include "http/forward.hpp"
#include "http/limits.hpp"
#include "http/relay.hpp"
#include "io/task.hpp"
#include "site/site.hpp"
#include "wire/http/message.hpp"

namespace meridian::agent {
namespace {

constexpr std::string_view kPrometheus = "prometheus";

// The recorded series of one data center: {__name__=~".+:.+",dc="NAME"}. A name is a DNS label.
std::string AggregatesQuery(const std::string& data_center) {
  return "match%5B%5D=%7B__name__%3D~%22.%2B%3A.%2B%22%2Cdc%3D%22" + data_center + "%22%7D";
}

// Samples in the text format, from this data center's Prometheus or from another agent.
io::Task<void> PassOn(Result<http::Fetched> answer, http::Exchange& exchange) {
  if (answer && answer->status != 200) {
    answer = Fail(Errc::kUnavailable, "status {}", answer->status);
  }
  if (!answer) {
    (void)co_await http::RespondText(exchange, 503, answer.error().message + "\n");
    co_return;
  }
  wire::http::HeaderFields fields;
  fields.Add("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  (void)co_await exchange.Respond({.fields = fields}, AsBytes(answer->body));
}

}  // namespace

AdminEngines::AdminEngines(const Context& context, const Agent& agent)
    : context_(context), agent_(agent) {
  for (const site::DataCenter& dc : context.site.datacenters) {
    if (dc.edge_only || dc.name == context.here.name) continue;
    peers_[dc.name] = std::make_unique<http::Client>(context.loop, context.network,
                                                     PeerUpstream(context, dc, agent.peer_tls()));
  }
}

AdminEngines::~AdminEngines() = default;

io::Task<void> AdminEngines::Forward(EngineDecision decision, http::Exchange& exchange) {
  const std::string_view name = NameOf(decision.engine);
  switch (decision.route) {
    case EngineRoute::kElsewhere:
    case EngineRoute::kBadPath:
      co_return (void) co_await http::RespondText(exchange, 400,
                                                  "write the path without escapes\n");
    case EngineRoute::kNotThrough:
      co_return (void) co_await http::RespondText(exchange, 403, "this is not done through here\n");
    case EngineRoute::kNoMethod:
      co_return (void) co_await http::RespondText(exchange, 405, "no such method here\n");
    case EngineRoute::kForward:
      break;
  }
  const EngineChild* engine = agent_.engines().Ready(name);
  if (engine == nullptr) {
    (void)co_await http::RespondText(
        exchange, 503, fmt::format("{} is not ready here; see: meridian status\n", name));
  } else if (forwarding_ >= kMaxEngineRequests) {
    (void)co_await http::RespondText(exchange, 503, fmt::format("too many ask {}\n", name));
  } else {
    ++forwarding_;
    co_await ForwardTo(*engine, exchange);
    --forwarding_;
  }
}

io::Task<void> AdminEngines::ForwardTo(const EngineChild& engine, http::Exchange& exchange) {
  http::ClientLimits limits;
  limits.head_timeout = kEngineAnswerTimeout;
  http::Client client(context_.loop, context_.network, {.address = engine.at()}, limits);
  const std::string authorization = engine.authorization();
  wire::http::HeaderFields fields;
  http::CopyRequestFields(exchange.request(), {}, &fields);
  // The token stays here; and no engine decides by where a request comes from.
  for (std::string_view name : {"Authorization", "Cookie", "Origin", "Referer"}) {
    fields.Remove(name);
  }
  fields.Add("Authorization", authorization);
  // No page of another site shows these pages in a frame, where a person would click on them.
  const http::RelayOptions relay{
      .edit_response =
          [](const wire::http::ResponseHead&, wire::http::HeaderFields& answer) {
            answer.Remove("X-Frame-Options");
            answer.Add("X-Frame-Options", "DENY");
          },
      .default_host = "agent"};
  http::ForwardOutcome outcome = co_await http::ForwardOnce(exchange, fields, client, relay);
  if (outcome.kind == http::ForwardOutcome::Kind::kAnswered || exchange.started()) co_return;
  (void)co_await http::RespondText(exchange, http::FailureStatus(outcome.error),
                                   outcome.error.message + "\n");
}

io::Task<void> AdminEngines::ServeAggregates(http::Exchange& exchange) {
  const EngineChild* prometheus = agent_.engines().Ready(kPrometheus);
  if (prometheus == nullptr || aggregating_ >= kMaxAggregateRequests) {
    (void)co_await http::RespondText(
        exchange, 503, prometheus == nullptr ? "its Prometheus is not ready\n" : "too many ask\n");
    co_return;
  }
  http::Client client(context_.loop, context_.network, {.address = prometheus->at()});
  const std::string password = prometheus->authorization();
  const wire::http::HeaderField authorization{"Authorization", password};
  const std::string path = std::string(kPrometheusPath) + "/federate";
  const std::string query = AggregatesQuery(context_.here.name);
  const http::Request request{
      .path = path, .query = query, .host = kPrometheus, .fields = {{&authorization, 1}}};
  ++aggregating_;
  Result<http::Fetched> answer = co_await http::Fetch(client, request, kMaxAggregatesBytes,
                                                      context_.loop.After(kAggregatesTimeout));
  co_await PassOn(std::move(answer), exchange);
  --aggregating_;
}

io::Task<void> AdminEngines::ServePeerAggregates(http::Exchange& exchange) {
  constexpr std::string_view kParameter = "dc=";
  const std::string_view query = exchange.request().query.value_or("");
  auto peer =
      query.starts_with(kParameter) ? peers_.find(query.substr(kParameter.size())) : peers_.end();
  if (peer == peers_.end() || aggregating_ >= kMaxAggregateRequests) {
    const bool unknown = peer == peers_.end();
    (void)co_await http::RespondText(
        exchange, unknown ? 404 : 503,
        unknown ? "dc names no other data center\n" : "too many ask\n");
    co_return;
  }
  http::Client& client = *peer->second;
  const http::Request request{.path = kAggregatesPath, .host = client.upstream().tls_name};
  ++aggregating_;
  Result<http::Fetched> answer = co_await http::Fetch(client, request, kMaxAggregatesBytes,
                                                      context_.loop.After(kPeerAggregatesTimeout));
  co_await PassOn(std::move(answer), exchange);
  --aggregating_;
}

}  // namespace meridian::agent
