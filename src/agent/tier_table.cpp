#include "agent/tier_table.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "agent/guard.hpp"
#include "agent/limits.hpp"
#include "base/clock.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"

namespace meridian::agent {

std::vector<TierEntry> TierTable(const site::Site& site, const site::DataCenter& here,
                                 site::Hosting hosting) {
  const site::Ports& ports = site.ports;
  auto stream = [&](std::string name, uint16_t port) {
    return TierSocket{std::move(name), SocketKind::kStream, {here.address, port}};
  };
  auto ops = [&](uint16_t port) {
    return TierSocket{"ops", SocketKind::kStream, site::OpsEndpoint(site, here, hosting, port)};
  };
  std::vector<TierEntry> table;
  if (!site.externals.contains("session")) {
    table.push_back({"session",
                     ports.session,
                     true,
                     {stream("redis", ports.session), stream("peer", site::PeerPort(ports.session)),
                      ops(ports.session)}});
  }
  table.push_back({"balancer",
                   ports.balancer,
                   false,
                   {stream("http", ports.balancer), stream("peer", site::PeerPort(ports.balancer)),
                    ops(ports.balancer)}});
  table.push_back(
      {"edge",
       ports.edge,
       false,
       {stream("http", ports.edge), stream("https", ports.edge_https), ops(ports.edge)}});
  table.push_back({"dns",
                   ports.dns,
                   false,
                   {TierSocket{"udp", SocketKind::kDatagram, {here.address, ports.dns}},
                    stream("tcp", ports.dns), ops(ports.dns)}});
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
