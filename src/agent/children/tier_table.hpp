// The tiers that an agent runs, and the addresses of their sockets, derived from the tiers'
// descriptions and the data center. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"
#include "site/tier_description.hpp"

namespace meridian::agent {

struct TierSocket {
  std::string name;  // in the tier's TierDescription
  site::SocketKind kind = site::SocketKind::kStream;
  Endpoint at;
  // One of several sockets for visitors: the tier runs without it if the host does not have the
  // address.
  bool optional = false;
  // One of the sockets of a port that the threads of a tier share (SO_REUSEPORT).
  bool reuse_port = false;
};

struct TierEntry {
  std::string name;
  uint16_t port = 0;                // public
  bool serves_application = false;  // see site::TierDescription
  bool serves_others = false;       // see site::TierDescription
  bool needed_to_serve = true;      // see site::TierDescription
  std::vector<TierSocket> sockets;
};

// The tiers that run in `here`: all tiers of the site except external ones; in an edge place only
// tiers with in_edge_places. In start order; they stop in reverse order. `cores`: of this machine;
// a tier with threads has a datagram socket for each of them.
std::vector<TierEntry> TierTable(const site::Site& site, const site::DataCenter& here,
                                 site::Hosting hosting, size_t cores = 1);

// The ports for traffic between data centers of a site: the agents' admin port, the edges' ports
// (for the probes of dns tiers), and every tier's peer port.
std::vector<uint16_t> CrossingPorts(const site::Site& site);

// The maximum time from SIGTERM to a data center's guard to the end of its last process: the tiers
// stop one after the other, and the application's instances together.
Duration MaxStopTime(const site::Site& site);

}  // namespace meridian::agent
