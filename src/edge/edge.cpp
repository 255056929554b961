#include "edge/edge.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "edge/answer.hpp"
#include "edge/config.hpp"
#include "edge/limits.hpp"
#include "edge/upstreams.hpp"
#include "http/client.hpp"
#include "http/exchange.hpp"
#include "http/limits.hpp"
#include "http/server.hpp"
#include "io/task.hpp"
#include "io/tls.hpp"
#include "io/wait_queue.hpp"
#include "site/internal_fields.hpp"
#include "site/limits.hpp"
#include "site/site.hpp"
#include "site/tier_process.hpp"
#include "site/view.hpp"
#include "wire/http/message.hpp"
#include "wire/http/uri.hpp"

namespace meridian::edge {

using wire::http::HeaderFields;

Edge::Edge(site::TierProcess& process, std::optional<http::Upstream> origin)
    : process_(process),
      config_(process.site().sections.Get<Config>()),
      server_metrics_(process.metrics(), "meridian_edge"),
      visitor_connections_(process.metrics().AddCounter(
          "meridian_edge_visitor_connections_total",
          "Connections whose first request was a visitor's, not a probe's.")),
      visitor_requests_(process.metrics().AddCounter("meridian_edge_visitor_requests_total",
                                                     "Requests of visitors.")),
      balancers_(origin ? nullptr : std::make_unique<SiteUpstreams>(process, config_)),
      origin_(origin ? std::make_unique<OriginUpstream>(process.loop(), process.network(), config_,
                                                        std::move(*origin))
                     : nullptr),
      forwarder_(origin_ ? static_cast<Upstreams&>(*origin_) : *balancers_, process.metrics()),
      cache_({.loop = process.loop(),
              .scope = process.scope(),
              .forwarder = forwarder_,
              .metrics = process.metrics(),
              .config = config_,
              .default_host = process.site().domain,
              .here = process.here().name}),
      http_(process.loop(), {.limits = Limits(), .metrics = &server_metrics_},
            [this](http::Exchange& exchange) { return Handle(exchange); }) {}

Edge::~Edge() = default;

http::ServerLimits Edge::Limits() const {
  http::ServerLimits limits;
  limits.max_body_bytes = config_.max_body_bytes;
  limits.max_connections = config_.max_connections;
  return limits;
}

Result<void> Edge::ServeHttps() {
  auto listener =
      process_.Listen("https", {process_.here().address, process_.site().ports.edge_https});
  if (!listener) return Fail(std::move(listener.error()));
  auto tls = io::TlsContext::ForServer(process_.WebTls());
  if (!tls) return Fail(std::move(tls.error()));
  https_ = std::make_unique<http::Server>(
      process_.loop(),
      http::ServerOptions{.limits = Limits(), .tls = std::move(*tls), .metrics = &server_metrics_},
      [this](http::Exchange& exchange) { return Handle(exchange); });
  https_->Serve(std::move(*listener));
  return {};
}

io::Task<Result<void>> Edge::Start() {
  Result<void> connected;
  if (balancers_) connected = balancers_->Connect();
  if (!connected) co_return connected;
  auto plain = process_.Listen("http", {process_.here().address, process_.site().ports.edge});
  if (!plain) co_return Fail(std::move(plain.error()));
  if (balancers_) {
    Result<void> serving = ServeHttps();
    if (!serving) co_return serving;
    process_.scope().Spawn(balancers_->WatchOwnBalancer());
  }
  http_.Serve(std::move(*plain));
  process_.scope().Spawn(ReportLoad());
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
  if (balancers_) balancers_->OnView();
}

io::Task<void> Edge::ReportLoad() {
  uint64_t before = 0;
  TimePoint began = process_.loop().Now();
  while (co_await io::Sleep(kLoadInterval)) {
    uint64_t now = visitor_requests_.value();
    double rate = static_cast<double>(now - before) / Seconds(process_.loop().Now() - began);
    process_.SetLoad(rate, visitor_connections_.value());
    cache_.ReportSize();
    before = now;
    began = process_.loop().Now();
  }
}

io::Task<void> Edge::Handle(http::Exchange& exchange) {
  if (exchange.request().method == "CONNECT") {  // names a host, not a path: nothing is here for it
    co_await AnswerHere(exchange, 501, "this is not a proxy to other hosts\n", {});
    co_return;
  }
  switch (wire::http::MatchPath(exchange.request().path, site::kReservedPath)) {
    case wire::http::PathMatch::kOutside:
      if (exchange.first_on_connection()) visitor_connections_.Add();
      visitor_requests_.Add();
      co_await cache_.Handle(exchange, MayDebug(exchange));
      co_return;
    case wire::http::PathMatch::kWithin:
      co_await AnswerReserved(exchange);
      co_return;
    case wire::http::PathMatch::kDisguised:
      co_await AnswerHere(exchange, 400, "the path is not spelled plainly\n", {});
      co_return;
  }
}

bool Edge::Ready() const {
  const site::DataCenterView* own = process_.view()->FindDataCenter(process_.here().name);
  return own != nullptr && own->state == site::DataCenterState::kServing && forwarder_.can_serve();
}

io::Task<void> Edge::AnswerReserved(http::Exchange& exchange) {
  if (exchange.request().path == site::kReadyPath) {
    bool ready = Ready();
    (void)co_await http::RespondText(exchange, ready ? 200 : 503,
                                     ready ? "ready\n" : "send visitors elsewhere\n");
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

int Run(const site::Site& site, site::TierStart start) {
  site::TierProcess process(site, std::move(start));
  Edge edge(process);
  return process.Run({.public_port = site.ports.edge,
                      .start = [&] { return edge.Start(); },
                      .on_view = [&] { edge.OnView(); },
                      .drain = [&](Duration grace) { return edge.Drain(grace); }});
}

int RunAlone(const Alone& alone) {
  site::Site site;
  site.name = site.domain = alone.host;
  site.datacenters.push_back({.name = "alone",
                              .address = alone.listen.address,
                              .public_addresses = {alone.listen.address}});
  site.ports.edge = alone.listen.port;
  site.sections.Put(alone.config);
  site::TierProcess process(site, {.tier = "edge", .data_center = "alone"});
  Edge edge(process, http::Upstream{.address = alone.origin});
  return process.Run({.public_port = site.ports.edge,
                      .start = [&] { return edge.Start(); },
                      .drain = [&](Duration grace) { return edge.Drain(grace); }});
}

}  // namespace meridian::edge
