#include "agent/children/tier_table.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "agent/guard.hpp"
#include "agent/limits.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"
#include "site/tier/tier_process.hpp"

namespace meridian::agent {

namespace {

struct VisitorPort {
  const site::DataCenter& here;
  site::Hosting hosting;
  uint16_t port;
};

void AddForVisitors(TierEntry& tier, const std::string& name, SocketKind kind,
                    const VisitorPort& port) {
  std::vector<IpAddress> addresses = site::VisitorAddresses(port.here, port.hosting);
  for (size_t i = 0; i < addresses.size(); ++i) {
    tier.sockets.push_back({.name = site::NumberedSocket(name, i),
                            .kind = kind,
                            .at = {addresses[i], port.port},
                            .optional = i > 0});
  }
}

}  // namespace

std::vector<TierEntry> TierTable(const site::Site& site, const site::DataCenter& here,
                                 site::Hosting hosting) {
  const site::Ports& ports = site.ports;
  IpAddress host = site::HostAddress(here, hosting);
  IpAddress peers = site::PeerAddress(here);
  auto stream = [](std::string name, IpAddress address, uint16_t port) {
    return TierSocket{std::move(name), SocketKind::kStream, {address, port}};
  };
  auto ops = [&](uint16_t port) {
    return TierSocket{"ops", SocketKind::kStream, site::OpsEndpoint(site, here, hosting, port)};
  };
  std::vector<TierEntry> table;
  if (!site.externals.contains("session")) {
    table.push_back(
        {.name = "session",
         .port = ports.session,
         .serves_application = true,
         .sockets = {stream("redis", host, ports.session),
                     stream("peer", peers, site::PeerPort(ports.session)), ops(ports.session)}});
  }
  table.push_back(
      {.name = "balancer",
       .port = ports.balancer,
       .serves_others = true,
       .sockets = {stream("http", host, ports.balancer),
                   stream("peer", peers, site::PeerPort(ports.balancer)), ops(ports.balancer)}});
  TierEntry edge{.name = "edge", .port = ports.edge, .sockets = {ops(ports.edge)}};
  TierEntry dns{.name = "dns", .port = ports.dns, .sockets = {ops(ports.dns)}};
  AddForVisitors(edge, "http", SocketKind::kStream, {here, hosting, ports.edge});
  AddForVisitors(edge, "https", SocketKind::kStream, {here, hosting, ports.edge_https});
  AddForVisitors(dns, "udp", SocketKind::kDatagram, {here, hosting, ports.dns});
  AddForVisitors(dns, "tcp", SocketKind::kStream, {here, hosting, ports.dns});
  table.push_back(std::move(edge));
  table.push_back(std::move(dns));
  return table;
}

std::vector<uint16_t> CrossingPorts(const site::Site& site) {
  std::vector<uint16_t> ports = {site.ports.admin, site.ports.edge};
  for (const TierEntry& tier : TierTable(site, site.datacenters.front(), site::Hosting::kLab)) {
    for (const TierSocket& socket : tier.sockets) {
      if (socket.at.port == site::PeerPort(tier.port)) ports.push_back(socket.at.port);
    }
  }
  return ports;
}

Duration LongestStop(const site::Site& site) {
  size_t tiers = TierTable(site, site.datacenters.front(), site::Hosting::kLab).size();
  return static_cast<int64_t>(tiers) * kTierStopTimeout + site.app.stop_timeout +
         kLeftBehindPatience + kAdminDrainTimeout + 2 * kKillPatience;  // the agent's, the guard's
}

}  // namespace meridian::agent
