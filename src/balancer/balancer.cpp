#include "balancer/balancer.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "balancer/balancer_loop.hpp"
#include "balancer/limits.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "dispatch/config.hpp"
#include "dispatch/share.hpp"
#include "dispatch/tier_dispatcher.hpp"
#include "http/server/connection_budget.hpp"
#include "io/descriptors.hpp"
#include "io/net/tls.hpp"
#include "io/task.hpp"
#include "io/threads/per_loop.hpp"
#include "site/ports.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"
#include "site/tier/tier_loop.hpp"
#include "site/tier/tier_process.hpp"
#include "site/tier_description.hpp"
#include "site/view/view.hpp"

namespace meridian::balancer {
namespace {

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
      instances_(process, "balancer", ConfigOf(process)),
      loops_(process.scopes()) {}

Balancer::~Balancer() = default;

int Balancer::Run() {
  return process_.Run({.public_port = process_.site().ports.balancer,
                       .start = [this] { return Start(); },
                       .on_view =
                           [this] {
                             if (servers_.empty()) instances_.OnView();
                           },
                       .drain = [this](Duration grace) { return Drain(grace); },
                       .end = [this] { return loops_.Destroy(); }});
}

io::Task<Result<void>> Balancer::Start() {
  auto sockets = OpenSockets();
  if (!sockets) co_return Fail(std::move(sockets.error()));
  if (!servers_.empty()) UseServers();
  // Each connection may need another connection to an instance.
  auto connections = std::make_shared<http::ConnectionBudget>(
      io::FittingConnections("balancer", kMaxConnections, 2, process_.loop_count()));
  const BalancerLoop::Options options{.config = process_.site().sections.Get<dispatch::Config>(),
                                      .edge = EdgeAddress(process_, !servers_.empty()),
                                      .connections = std::move(connections)};
  co_await loops_.Make([&](size_t index) {
    const site::TierLoop on = process_.OnLoop(index);
    return std::make_unique<BalancerLoop>(on, instances_.MakeDispatcher(on), options,
                                          std::move((*sockets)[index]));
  });
  process_.scope().Spawn(instances_.Report());
  co_return Result<void>{};
}

Result<Balancer::LoopSockets> Balancer::OpenSockets() {
  LoopSockets sockets(loops_.size());
  auto clients =
      process_.ListenOnLoops("http", {process_.HostAddress(), process_.site().ports.balancer});
  if (!clients) return Fail(std::move(clients.error()));
  for (size_t i = 0; i < sockets.size(); ++i) sockets[i].clients = std::move((*clients)[i]);
  if (!servers_.empty()) return sockets;
  if (Result<void> peers = OpenPeerSockets(&sockets); !peers) return Fail(std::move(peers.error()));
  return sockets;
}

Result<void> Balancer::OpenPeerSockets(LoopSockets* sockets) {
  Endpoint at{site::PeerAddress(process_.here()), site::PeerPort(process_.site().ports.balancer)};
  auto peers = process_.ListenOnLoops("peer", at);
  if (!peers) return Fail(std::move(peers.error()));
  for (size_t i = 0; i < sockets->size(); ++i) {
    auto tls = io::TlsContext::ForServer(process_.PeerTls());
    if (!tls) return Fail(std::move(tls.error()));
    (*sockets)[i].peers = std::move((*peers)[i]);
    (*sockets)[i].peer_tls = std::move(*tls);
  }
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
  instances_.SetInstances(instances);
}

io::Task<void> Balancer::Drain(Duration grace) {
  co_await loops_.ForEach([grace](BalancerLoop& loop) { return loop.Drain(grace); });
  instances_.Close();
}

namespace {

int Run(const site::Site& site, site::TierStart start) {
  const size_t loops = site::TierThreads(site, start);
  site::TierProcess process(site, std::move(start), loops);
  return Balancer(process).Run();
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
  if (alone.threads) site.threads["balancer"] = *alone.threads;
  site::TierStart start{.tier = "balancer", .data_center = "alone"};
  const size_t loops = site::TierThreads(site, start);
  site::TierProcess process(site, std::move(start), loops);
  return Balancer(process, std::move(alone.servers)).Run();
}

}  // namespace meridian::balancer
