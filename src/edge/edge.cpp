#include "edge/edge.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "edge/config.hpp"
#include "edge/fallback_script.hpp"
#include "edge/forwarded_fields.hpp"
#include "edge/https_redirect.hpp"
#include "edge/limits.hpp"
#include "edge/own_origin.hpp"
#include "edge/routes.hpp"
#include "http/client.hpp"
#include "http/exchange.hpp"
#include "http/fetch.hpp"
#include "http/forward.hpp"
#include "http/limits.hpp"
#include "http/relay.hpp"
#include "http/server.hpp"
#include "io/task.hpp"
#include "io/tls.hpp"
#include "io/wait_queue.hpp"
#include "site/ca.hpp"
#include "site/internal_fields.hpp"
#include "site/limits.hpp"
#include "site/site.hpp"
#include "site/tier_process.hpp"
#include "site/view.hpp"
#include "wire/http/message.hpp"
#include "wire/http/uri.hpp"

namespace meridian::edge {

using wire::http::HeaderFields;

namespace {

constexpr std::string_view kAllowOriginField = "Access-Control-Allow-Origin";
constexpr std::string_view kFallbackPath = "/.meridian/fallback.js";

}  // namespace

Edge::Edge(site::TierProcess& process)
    : process_(process),
      config_(process.site().sections.Get<Config>()),
      fallback_script_(FallbackScript(process.site(), process.here())),
      server_metrics_(process.metrics(), "meridian_edge"),
      visitor_connections_(process.metrics().AddCounter(
          "meridian_edge_visitor_connections_total",
          "Connections whose first request was a visitor's, not a probe's.")),
      visitor_requests_(process.metrics().AddCounter("meridian_edge_visitor_requests_total",
                                                     "Requests of visitors.")),
      crossings_(process.metrics().AddCounter("meridian_edge_crossings_total",
                                              "Requests forwarded to another data center.")),
      unavailable_(process.metrics().AddCounter("meridian_edge_unavailable_total",
                                                "Requests that no data center could serve.")),
      http_(process.loop(), {.limits = Limits(), .metrics = &server_metrics_},
            [this](http::Exchange& exchange) { return Handle(exchange); }) {}

Edge::~Edge() = default;

http::ServerLimits Edge::Limits() const {
  http::ServerLimits limits;
  limits.max_body_bytes = config_.max_body_bytes;
  limits.max_connections = config_.max_connections;
  return limits;
}

Result<void> Edge::ConnectUpstreams() {
  http::ClientLimits limits;
  limits.max_connections = limits.max_idle = kMaxUpstreamConnections;
  limits.max_waiting = kMaxWaitingRequests;
  limits.wait_timeout = kWaitTimeout;
  limits.connect_timeout = kConnectTimeout;
  limits.head_timeout = config_.response_timeout;
  auto tls = io::TlsContext::ForClient(process_.PeerTls());
  if (!tls) return Fail(std::move(tls.error()));
  uint16_t port = process_.site().ports.balancer;
  for (const site::DataCenter& dc : process_.site().datacenters) {
    if (dc.edge_only) continue;
    bool own = dc.name == process_.here().name;
    http::Upstream upstream{.address = {process_.AddressOf(dc), own ? port : site::PeerPort(port)},
                            .tls = own ? nullptr : *tls,
                            .tls_name = own ? "" : site::PeerName(dc.name, process_.site()),
                            .from = process_.here().address};
    balancers_[dc.name] = std::make_unique<http::Client>(process_.loop(), process_.network(),
                                                         std::move(upstream), limits);
  }
  return {};
}

Result<std::shared_ptr<io::TlsContext>> Edge::VisitorTls() const {
  auto tls = io::TlsContext::ForServer(process_.WebTls());
  for (const Certificate& each : config_.certificates) {
    if (!tls) break;
    auto other = io::TlsContext::ForServer(
        {.certificate_path = each.certificate_path, .key_path = each.key_path});
    if (!other) return other;
    (*tls)->AddForNames(std::move(*other));
  }
  return tls;
}

io::Task<Result<void>> Edge::Start() {
  Result<void> connected = ConnectUpstreams();
  if (!connected) co_return connected;
  const site::Ports& ports = process_.site().ports;
  auto plain = process_.Listen("http", {process_.here().address, ports.edge});
  if (!plain) co_return Fail(std::move(plain.error()));
  auto secure = process_.Listen("https", {process_.here().address, ports.edge_https});
  if (!secure) co_return Fail(std::move(secure.error()));
  auto tls = VisitorTls();
  if (!tls) co_return Fail(std::move(tls.error()));
  https_ = std::make_unique<http::Server>(
      process_.loop(),
      http::ServerOptions{.limits = Limits(), .tls = std::move(*tls), .metrics = &server_metrics_},
      [this](http::Exchange& exchange) { return Handle(exchange); });
  http_.Serve(std::move(*plain));
  https_->Serve(std::move(*secure));
  process_.scope().Spawn(ReportLoad());
  if (!process_.here().edge_only) process_.scope().Spawn(WatchOwnBalancer());
  co_return Result<void>{};
}

io::Task<void> Edge::Drain(Duration grace) {
  io::Scope both(process_.loop());
  TimePoint deadline = process_.loop().After(site::kDrainTimeout);
  both.Spawn(http_.Drain(deadline, grace));
  if (https_) both.Spawn(https_->Drain(deadline, grace));
  co_await both.Join();
}

void Edge::OnView() {
  routes_ = MakeRoutes(*process_.view(), process_.here().name, own_balancer_answers_);
}

io::Task<void> Edge::WatchOwnBalancer() {
  const http::Upstream& upstream = balancers_.at(process_.here().name)->upstream();
  http::Client client(process_.loop(), process_.network(), upstream);
  int misses = 0;
  while (co_await io::Sleep(kBalancerCheckInterval)) {
    http::Request request{.path = site::kReadyPath, .host = process_.site().domain};
    auto answer = co_await http::Fetch(client, request, kMaxCheckBody,
                                       process_.loop().After(kBalancerCheckTimeout));
    misses = answer && answer->status == 200 ? 0 : misses + 1;
    bool answers = misses < kBalancerMisses;
    if (answers == own_balancer_answers_) continue;
    LOG_WARNING("the balancer beside this edge", {"answers", answers});
    own_balancer_answers_ = answers;
    OnView();
  }
}

io::Task<void> Edge::ReportLoad() {
  uint64_t before = 0;
  TimePoint began = process_.loop().Now();
  while (co_await io::Sleep(kLoadInterval)) {
    uint64_t now = visitor_requests_.value();
    double rate = static_cast<double>(now - before) / Seconds(process_.loop().Now() - began);
    process_.SetLoad(rate, visitor_connections_.value());
    before = now;
    began = process_.loop().Now();
  }
}

io::Task<void> Edge::Handle(http::Exchange& exchange) {
  if (exchange.request().method == "CONNECT") {  // names a host, not a path: nothing is here for it
    (void)co_await http::RespondText(exchange, 501, "this is not a proxy to other hosts\n");
    co_return;
  }
  switch (wire::http::MatchPath(exchange.request().path, site::kReservedPath)) {
    case wire::http::PathMatch::kOutside:
      if (exchange.first_on_connection()) visitor_connections_.Add();
      visitor_requests_.Add();
      if (config_.redirect_http && !exchange.secure()) {
        co_await RedirectToHttps(exchange);
      } else {
        co_await Forward(exchange);
      }
      co_return;
    case wire::http::PathMatch::kWithin:
      co_await AnswerReserved(exchange);
      co_return;
    case wire::http::PathMatch::kDisguised:
      (void)co_await http::RespondText(exchange, 400, "the path is not spelled plainly\n");
      co_return;
  }
}

bool Edge::Ready() const {
  const site::DataCenterView* own = process_.view()->FindDataCenter(process_.here().name);
  return own != nullptr && own->state == site::DataCenterState::kServing &&
         !routes_.from_visitors.empty();
}

io::Task<void> Edge::AnswerReserved(http::Exchange& exchange) {
  if (exchange.request().path == site::kReadyPath) {
    bool ready = Ready();
    (void)co_await http::RespondText(exchange, ready ? 200 : 503,
                                     ready ? "ready\n" : "send visitors elsewhere\n");
  } else if (exchange.request().path == kFallbackPath) {
    HeaderFields fields;
    fields.Add("Content-Type", "text/javascript; charset=utf-8");
    fields.Add("Cache-Control", "public, max-age=3600");
    fields.Add("Service-Worker-Allowed", "/");
    fields.Add("Via", "1.1 meridian-edge");
    (void)co_await exchange.Respond({.fields = fields}, AsBytes(fallback_script_));
  } else {
    (void)co_await http::RespondText(exchange, 404, "nothing is here\n");
  }
}

bool Edge::MayDebug(const http::Exchange& exchange) const {
  if (exchange.request().fields.Find(site::kDebugField) != "1") return false;
  IpAddress peer = exchange.peer().address.Unmapped();
  return peer.is_loopback() ||
         std::ranges::any_of(config_.debug_from,
                             [&](const IpPrefix& allowed) { return allowed.Contains(peer); });
}

// `path` is where the Meridian-Path field's text is kept.
http::RelayOptions Edge::OptionsFor(std::string_view own_origin, bool debug,
                                    std::string& path) const {
  auto edit = [this, own_origin, debug, &path](const wire::http::ResponseHead& upstream,
                                               HeaderFields& fields) {
    fields.Add("Via", "1.1 meridian-edge");
    if (!own_origin.empty() && !fields.Has(kAllowOriginField)) {
      fields.Add(kAllowOriginField, own_origin);
      fields.Add("Vary", "Origin");
    }
    fields.Remove(site::kPathField);  // told to who asks, and by nobody but us
    if (!debug) return;
    std::string_view rest = upstream.fields.Find(site::kPathField).value_or("");
    path = fmt::format("edge={} {}", process_.here().name, rest);
    fields.Add(site::kPathField, path);
  };
  auto declines = [](const wire::http::ResponseHead& upstream) {
    return upstream.status == 503 && upstream.fields.Has(site::kUnavailableField);
  };
  return {.edit_response = edit, .declines = declines, .default_host = process_.site().domain};
}

io::Task<void> Edge::Forward(http::Exchange& exchange) {
  using Kind = http::ForwardOutcome::Kind;
  const wire::http::RequestHead& request = exchange.request();
  int edges = 0;
  request.fields.ForEach("Via", [&](std::string_view via) { edges += CountEdges(via); });
  bool debug = MayDebug(exchange);
  ForwardedFields forwarded(request,
                            {.peer = exchange.peer(), .https = exchange.secure(), .debug = debug});
  std::string path;
  http::RelayOptions options = OptionsFor(OwnOrigin(request, process_.site().domain), debug, path);
  // The view may change while this request is on its way.
  std::vector<std::string> route = edges == 0 ? routes_.from_visitors : routes_.from_edges;
  http::ForwardOutcome outcome;
  bool tried = false;
  for (const std::string& name : route) {
    if (name != process_.here().name) crossings_.Add();
    outcome =
        co_await http::ForwardOnce(exchange, forwarded.fields(), *balancers_.at(name), options);
    if (outcome.kind == Kind::kAnswered) co_return;
    LOG_WARNING("a data center could not answer", {"to", name}, {"problem", outcome.error.message});
    tried = outcome.error.code != Errc::kUnavailable;
    if (outcome.kind == Kind::kFailed) break;
  }
  if (tried) {
    (void)co_await http::RespondText(exchange, http::FailureStatus(outcome.error),
                                     "no data center could answer\n");
  } else {
    co_await AnswerUnavailable(exchange);
  }
}

io::Task<void> Edge::RedirectToHttps(http::Exchange& exchange) {
  std::string location =
      HttpsLocation(exchange.request(), process_.site().domain, process_.site().ports.edge_https);
  HeaderFields fields;
  fields.Add("Location", location);
  fields.Add("Via", "1.1 meridian-edge");
  (void)co_await exchange.Respond({.status = 308, .fields = fields}, AsBytes("use HTTPS\n"));
}

io::Task<void> Edge::AnswerUnavailable(http::Exchange& exchange) {
  unavailable_.Add();
  std::string retry_after = fmt::format("{}", kRetryAfterSeconds);
  HeaderFields fields;
  fields.Add("Content-Type", "text/plain; charset=utf-8");
  fields.Add("Retry-After", retry_after);
  fields.Add("Via", "1.1 meridian-edge");
  (void)co_await exchange.Respond({.status = 503, .fields = fields},
                                  AsBytes("no data center can serve this now\n"));
}

int Run(const site::Site& site, site::TierStart start) {
  site::TierProcess process(site, std::move(start));
  Edge edge(process);
  return process.Run({.public_port = site.ports.edge,
                      .start = [&] { return edge.Start(); },
                      .on_view = [&] { edge.OnView(); },
                      .drain = [&](Duration grace) { return edge.Drain(grace); }});
}

}  // namespace meridian::edge
