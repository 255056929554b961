#include "balancer/balancer.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "balancer/handler.hpp"
#include "balancer/limits.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "dispatch/config.hpp"
#include "dispatch/share.hpp"
#include "dispatch/tier_dispatcher.hpp"
#include "http/exchange.hpp"
#include "http/limits.hpp"
#include "http/server/connection_budget.hpp"
#include "http/server/server.hpp"
#include "http/server/server_group.hpp"
#include "io/descriptors.hpp"
#include "io/net/tls.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "site/limits.hpp"
#include "site/ports.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"
#include "site/tier/internal_fields.hpp"
#include "site/tier/tier_process.hpp"
#include "site/tier_description.hpp"
#include "site/view/view.hpp"
#include "wire/http/uri.hpp"

namespace meridian::balancer {
namespace {

http::ServerLimits Limits() {
  http::ServerLimits limits;
  limits.max_body_bytes = UINT64_MAX;  // limited by the edge
  limits.head.max_head_bytes += kMaxEdgeHeadBytes;
  limits.head.max_fields += kMaxEdgeFields;
  limits.body_timeout += kBodyGrace;
  return limits;
}

// Without a site it may use the whole limit of requests in flight of an instance; beside an edge, a
// share of it.
dispatch::Config ConfigOf(const site::TierProcess& process) {
  auto config = process.site().sections.Get<dispatch::Config>();
  bool alone = process.start().control_fd < 0;
  if (!alone) config.max_in_flight = dispatch::DivideInFlight(config.max_in_flight).balancer;
  return config;
}

// The edge of a site connects from the address that the balancer listens on.
std::optional<IpAddress> EdgeAddress(const site::TierProcess& process, bool alone) {
  return alone ? std::nullopt : std::optional(process.HostAddress());
}

}  // namespace

Balancer::Balancer(site::TierProcess& process, std::vector<Endpoint> servers)
    : process_(process),
      servers_(std::move(servers)),
      server_metrics_(process.metrics(), "meridian_balancer"),
      instances_(process, "balancer", ConfigOf(process)),
      handler_(instances_.dispatcher(), process.site().sections.Get<dispatch::Config>(),
               EdgeAddress(process, !servers_.empty()), process.metrics()),
      // Each connection may need another connection to an instance.
      group_(std::make_shared<http::ServerGroup>(
          process.loop(),
          std::make_shared<http::ConnectionBudget>(
              io::FittingConnections("balancer", kMaxConnections, 2)),
          "balancer")),
      server_(process.loop(), ServerOptions(),
              [this](http::Exchange& exchange) { return Handle(exchange); }) {}

Balancer::~Balancer() = default;

http::ServerOptions Balancer::ServerOptions() {
  return {.limits = Limits(), .metrics = &server_metrics_, .group = group_};
}

io::Task<Result<void>> Balancer::Start() {
  Endpoint at{process_.HostAddress(), process_.site().ports.balancer};
  auto listener = process_.Listen("http", at);
  if (!listener) co_return Fail(std::move(listener.error()));
  if (!servers_.empty()) {
    UseServers();
  } else if (Result<void> peers = ServePeers(); !peers) {
    co_return peers;
  }
  process_.scope().Spawn(instances_.Report());
  server_.Serve(std::move(*listener));
  co_return Result<void>{};
}

Result<void> Balancer::ServePeers() {
  Endpoint at{site::PeerAddress(process_.here()), site::PeerPort(process_.site().ports.balancer)};
  auto peers = process_.Listen("peer", at);
  if (!peers) return Fail(std::move(peers.error()));
  auto tls = io::TlsContext::ForServer(process_.PeerTls());
  if (!tls) return Fail(std::move(tls.error()));
  http::ServerOptions options = ServerOptions();
  options.tls = std::move(*tls);
  peer_server_ =
      std::make_unique<http::Server>(process_.loop(), std::move(options),
                                     [this](http::Exchange& exchange) { return Handle(exchange); });
  peer_server_->Serve(std::move(*peers));
  return {};
}

// No view reports their health: the dispatcher's own checks decide.
void Balancer::UseServers() {
  std::vector<site::InstanceView> instances;
  for (const Endpoint& server : servers_) {
    instances.push_back({.id = server.ToString(),
                         .datacenter = process_.here().name,
                         .address = server,
                         .release = "",
                         .state = site::InstanceState::kHealthy});
  }
  instances_.dispatcher().SetInstances(instances);
}

io::Task<void> Balancer::Drain(Duration grace) {
  io::Scope both(process_.loop());
  TimePoint deadline = process_.loop().After(site::kDrainTimeout);
  both.Spawn(server_.Drain(deadline, grace));
  if (peer_server_) both.Spawn(peer_server_->Drain(deadline, grace));
  co_await both.Join();
  instances_.Close();
}

void Balancer::OnView() { instances_.OnView(); }

io::Task<void> Balancer::Handle(http::Exchange& exchange) {
  switch (wire::http::MatchPath(exchange.request().path, site::kReservedPath)) {
    case wire::http::PathMatch::kOutside:
      co_await handler_.Handle(exchange);
      co_return;
    case wire::http::PathMatch::kWithin:
      (void)co_await http::RespondText(
          exchange, exchange.request().path == site::kReadyPath ? 200 : 404, "\n");
      co_return;
    case wire::http::PathMatch::kDisguised:
      (void)co_await http::RespondText(exchange, 400, "the path has an ambiguous spelling\n");
      co_return;
  }
}

namespace {

int Run(const site::Site& site, site::TierStart start) {
  site::TierProcess process(site, std::move(start));
  Balancer balancer(process);
  return process.Run({.public_port = site.ports.balancer,
                      .start = [&] { return balancer.Start(); },
                      .on_view = [&] { balancer.OnView(); },
                      .drain = [&](Duration grace) { return balancer.Drain(grace); }});
}

}  // namespace

site::TierDescription Describe() {
  using site::Audience;
  return {
      .name = "balancer",
      .summary = "The balancer tier of a data center, by itself",
      .ports = {{.port = &site::Ports::balancer}},
      .sockets = {{.name = "http", .port = &site::Ports::balancer},
                  {.name = "peer", .port = &site::Ports::balancer, .audience = Audience::kPeers}},
      .serves_others = true,
      .has_threads = true,
      .section = dispatch::ConfigSection(),
      .run = &Run};
}

int RunAlone(Alone alone) {
  site::Site site;
  site.name = "alone";
  site.domain = alone.listen.ToString();  // the Host field of health checks
  site.datacenters.push_back({.name = "alone",
                              .address = alone.listen.address,
                              .private_address = alone.listen.address,
                              .public_addresses = {alone.listen.address}});
  site.ports.balancer = alone.listen.port;
  site.app.health_path = alone.health_path;
  site.sections.Put(std::move(alone.config));
  site::TierProcess process(site, {.tier = "balancer", .data_center = "alone"});
  Balancer balancer(process, std::move(alone.servers));
  return process.Run({.public_port = site.ports.balancer,
                      .start = [&] { return balancer.Start(); },
                      .drain = [&](Duration grace) { return balancer.Drain(grace); }});
}

}  // namespace meridian::balancer
