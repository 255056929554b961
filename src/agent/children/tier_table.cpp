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
#include "proc/limits.hpp"
#include "site/ports.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"
#include "site/tier/threads.hpp"
#include "site/tier/tier_process.hpp"
#include "site/tier_description.hpp"

namespace meridian::agent {

namespace {

bool RunsIn(const site::TierDescription& tier, const site::Site& site,
            const site::DataCenter& here) {
  const bool elsewhere = site.externals.contains(tier.name) && !tier.runs_with_external;
  return !elsewhere && (tier.in_edge_places || !here.edge_only);
}

struct Place {
  const site::DataCenter& here;
  site::Hosting hosting;
};

std::vector<IpAddress> AddressesFor(site::Audience audience, const Place& place) {
  switch (audience) {
    case site::Audience::kVisitors:
      return site::VisitorAddresses(place.here, place.hosting);
    case site::Audience::kHost:
      return {site::HostAddress(place.here, place.hosting)};
    case site::Audience::kPeers:
      return {site::PeerAddress(place.here)};
  }
  return {};
}

uint16_t PortOf(const site::SocketDescription& socket, const site::Ports& ports) {
  uint16_t port = ports.*socket.port;
  return socket.audience == site::Audience::kPeers ? site::PeerPort(port) : port;
}

struct Listening {
  std::vector<IpAddress> addresses;
  uint16_t port = 0;
};

void AddSockets(const site::SocketDescription& socket, const Listening& at, size_t threads,
                std::vector<TierSocket>* sockets) {
  for (size_t i = 0; i < at.addresses.size(); ++i) {
    std::string name = site::NumberedSocket(std::string(socket.name), i);
    for (size_t thread = 0; thread < threads; ++thread) {
      sockets->push_back({.name = site::SocketOfThread(name, thread),
                          .kind = socket.kind,
                          .at = {at.addresses[i], at.port},
                          .optional = i > 0,
                          .reuse_port = threads > 1});
    }
  }
}

}  // namespace

std::vector<TierEntry> TierTable(const site::Site& site, const site::DataCenter& here,
                                 site::Hosting hosting, size_t cores) {
  std::vector<TierEntry> table;
  for (const site::TierDescription& tier : site.tiers) {
    if (!RunsIn(tier, site, here)) continue;
    uint16_t port = site.ports.*tier.ports.front().port;
    TierEntry entry{.name = std::string(tier.name),
                    .port = port,
                    .serves_application = tier.serves_application,
                    .serves_others = tier.serves_others,
                    .needed_to_serve = tier.needed_to_serve,
                    .sockets = {{"ops", site::SocketKind::kStream,
                                 site::OpsEndpoint(site, here, hosting, port)}}};
    size_t threads = tier.has_threads ? site::ThreadsOf(site, tier.name, hosting, cores) : 1;
    for (const site::SocketDescription& socket : tier.sockets) {
      AddSockets(socket,
                 {AddressesFor(socket.audience, {here, hosting}), PortOf(socket, site.ports)},
                 socket.kind == site::SocketKind::kDatagram ? threads : 1, &entry.sockets);
    }
    table.push_back(std::move(entry));
  }
  return table;
}

std::vector<uint16_t> CrossingPorts(const site::Site& site) {
  std::vector<uint16_t> ports = {site.ports.admin, site.ports.edge};
  for (const site::TierDescription& tier : site.tiers) {
    if (site.externals.contains(tier.name) && !tier.runs_with_external) continue;
    for (const site::SocketDescription& socket : tier.sockets) {
      if (socket.audience != site::Audience::kPeers && !socket.crosses) continue;
      ports.push_back(PortOf(socket, site.ports));
    }
  }
  return ports;
}

Duration MaxStopTime(const site::Site& site) {
  size_t tiers = TierTable(site, site.datacenters.front(), site::Hosting::kLab).size();
  return static_cast<int64_t>(tiers) * kTierStopTimeout + site.app.stop_timeout +
         proc::kLeftBehindTimeout + kOutputFlushTimeout + kAdminDrainTimeout + kEngineStopTimeout +
         2 * kKillTimeout;  // the agent's, the guard's
}

}  // namespace meridian::agent
