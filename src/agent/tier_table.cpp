#include "agent/tier_table.hpp"

namespace meridian::agent {

Endpoint OpsEndpoint(const site::DataCenter& here, uint16_t public_port) {
  IpAddress address = here.address.is_loopback() ? here.address : IpAddress::V4(127, 0, 0, 1);
  return {address, site::OpsPort(public_port)};
}

std::vector<TierEntry> TierTable(const site::Site& site, const site::DataCenter& here) {
  const site::Ports& ports = site.ports;
  auto stream = [&](std::string name, uint16_t port) {
    return TierSocket{std::move(name), SocketKind::kStream, {here.address, port}};
  };
  auto ops = [&](uint16_t port) {
    return TierSocket{"ops", SocketKind::kStream, OpsEndpoint(here, port)};
  };
  return {
      {"balancer",
       ports.balancer,
       {stream("http", ports.balancer), stream("peer", site::PeerPort(ports.balancer)),
        ops(ports.balancer)}},
      {"edge",
       ports.edge,
       {stream("http", ports.edge), stream("https", ports.edge_https), ops(ports.edge)}},
      {"dns",
       ports.dns,
       {TierSocket{"udp", SocketKind::kDatagram, {here.address, ports.dns}},
        stream("tcp", ports.dns), ops(ports.dns)}},
  };
}

}  // namespace meridian::agent
