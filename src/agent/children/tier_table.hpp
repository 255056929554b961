// The tiers that an agent runs, and the addresses of their sockets, as the tiers' descriptions and
// the place of the data center say. Pure.
#pragma once

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
  std::string name;  // as the tier asks for it
  site::SocketKind kind = site::SocketKind::kStream;
  Endpoint at;
  // One of several that visitors use: the tier does without it where the host has no such address.
  bool optional = false;
};

struct TierEntry {
  std::string name;
  uint16_t port = 0;                // public
  bool serves_application = false;  // see site::TierDescription
  bool serves_others = false;       // see site::TierDescription
  std::vector<TierSocket> sockets;
};

// The tiers that run in `here`: all of the site's but those that run elsewhere ("external"), and in
// an edge place those alone that belong there. In the order in which they are started; they are
// stopped in the opposite one.
std::vector<TierEntry> TierTable(const site::Site& site, const site::DataCenter& here,
                                 site::Hosting hosting);

// The ports on which data centers of a site speak to each other: the agents', those of the edges
// for the probes of the dns tiers, and every tier's peer port.
std::vector<uint16_t> CrossingPorts(const site::Site& site);

// From SIGTERM to a data center's guard until nothing of it is left, at the most: its tiers one
// after the other, then the application's instances together, each in its own time.
Duration MaxStopTime(const site::Site& site);

}  // namespace meridian::agent
