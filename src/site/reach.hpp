// How the processes of a site reach each other: the one place that knows it. Pure.
//
// In the lab all that crosses from one data center to another goes through a link, which adds
// latency and can be cut. A link is an address of its own: data center 127.A.C.1 reaches 127.B.C.1
// at 127.(100+A).B.(C+1), same ports. Outgoing sockets speak from their own data center's address.
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

// Where `from` reaches agent and tiers of `to`: at a link; where there is none, at PeerAddress.
IpAddress AddressOf(const Site& site, const Crossing& crossing);
// Where `from` reaches the edge of `to`, as visitors do: at a link, or at its address.
IpAddress EdgeAddressOf(const Site& site, const Crossing& crossing);

// Who reaches a port decides where it listens. In the lab, and where a data center's address is a
// loopback one, that is always its address.

// For the other data centers: its private address, or the address.
IpAddress PeerAddress(const DataCenter& data_center);
// For what only this host needs (the balancer for its edge, sessions for its application): the
// private address, or loopback.
IpAddress HostAddress(const DataCenter& here, Hosting hosting);
// For visitors: the address, and on servers the public addresses. Never empty.
std::vector<IpAddress> VisitorAddresses(const DataCenter& here, Hosting hosting);

// Whether this site's lab has links: it has several data centers, all at IPv4 loopback addresses,
// and [lab] wan is not false.
bool HasLinks(const Site& site);

// Why links of `data_center` would have no address of their own, or nothing. Data centers that
// share it are told from the second on.
std::optional<std::string> LinkProblem(const Site& site, const DataCenter& data_center);

// Where a tier's ops port is: on loopback, at the data center's own address when that is one. In a
// lab of other addresses each data center has another one of 127.0.0.0/24.
Endpoint OpsEndpoint(const Site& site, const DataCenter& here, Hosting hosting,
                     uint16_t public_port);

}  // namespace meridian::site
