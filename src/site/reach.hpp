// The addresses at which the processes of a site reach each other. Pure.
//
// In the lab all traffic between data centers goes through links, which add latency and can be cut.
// Each link has an address of its own: data center 127.A.C.1 reaches 127.B.C.1 at
// 127.(100+A).B.(C+1), same ports. Outgoing sockets bind their own data center's address.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ip.hpp"
#include "site/site.hpp"

namespace meridian::site {

// Where the data centers of a site run.
enum class Hosting : uint8_t {
  kServers,  // each on servers of its own
  kLab,      // all on this machine
};

struct Crossing {
  const DataCenter& from;
  const DataCenter& to;
  Hosting hosting = Hosting::kServers;
};

// The address at which `from` reaches the agent and tiers of `to`: a link, or PeerAddress without
// links.
IpAddress AddressOf(const Site& site, const Crossing& crossing);
// The address at which `from` reaches the edge of `to`, as visitors do: a link, or the data
// center's address.
IpAddress EdgeAddressOf(const Site& site, const Crossing& crossing);

// The clients of a port decide at which address it listens. In the lab, and for data centers with a
// loopback address, it is always the data center's address.

// For other data centers: the private address if there is one, else the address.
IpAddress PeerAddress(const DataCenter& data_center);
// For ports that only this host uses (the balancer for its edge, sessions for its application): the
// private address, or loopback.
IpAddress HostAddress(const DataCenter& here, Hosting hosting);
// For visitors: the address, and on servers also the public addresses. Never empty.
std::vector<IpAddress> VisitorAddresses(const DataCenter& here, Hosting hosting);

// True if this site's lab has links: it has several data centers, all at IPv4 loopback addresses,
// and [lab] wan is not false.
bool HasLinks(const Site& site);

// Explains why the links of `data_center` would have no address of their own, or nothing. Of data
// centers that share a link address, all but the first have a problem.
std::optional<std::string> LinkProblem(const Site& site, const DataCenter& data_center);

// The endpoint of a tier's ops port, on loopback: the data center's own address if it is a loopback
// address. In a lab of other addresses each data center has its own address of 127.0.0.0/24.
Endpoint OpsEndpoint(const Site& site, const DataCenter& here, Hosting hosting,
                     uint16_t public_port);

}  // namespace meridian::site
