// The tiers that an agent runs, and the sockets of each: one table, by which they are opened and
// started.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"

namespace meridian::agent {

enum class SocketKind : uint8_t { kStream, kDatagram };

struct TierSocket {
  std::string name;  // as the tier asks for it
  SocketKind kind = SocketKind::kStream;
  Endpoint at;
  // One of several that visitors use: the tier does without it where the host has no such address.
  bool optional = false;
};

struct TierEntry {
  std::string name;
  uint16_t port = 0;  // public
  // The application uses it, and it ends after the application.
  bool serves_application = false;
  // Visitors of this data center do without it: the edges of others use it.
  bool serves_others = false;
  std::vector<TierSocket> sockets;
};

// In the order in which they are started; they are stopped in the opposite one.
std::vector<TierEntry> TierTable(const site::Site& site, const site::DataCenter& here,
                                 site::Hosting hosting);

// The ports on which data centers of a site speak to each other: the agents', those of the edges
// for the probes of the dns tiers, and every tier's peer port.
std::vector<uint16_t> CrossingPorts(const site::Site& site);

// From SIGTERM to a data center's guard until nothing of it is left, at the most: its tiers one
// after the other, then the application's instances together, each in its own time.
Duration LongestStop(const site::Site& site);

}  // namespace meridian::agent
