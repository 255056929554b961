#include "io/sim/fabric.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "io/sim/connection.hpp"
#include "io/sim/datagrams.hpp"
#include "io/sim/limits.hpp"
#include "io/sim/listener.hpp"
#include "io/sim/world.hpp"

namespace meridian::io::sim {

HostId Fabric::AddHost(const std::string& name, IpAddress address) {
  CHECK(!Find(address));
  hosts_.push_back({.name = name, .address = address, .next_port = kFirstEphemeralPort});
  for (auto& row : links_) row.resize(hosts_.size());
  links_.emplace_back(hosts_.size());
  return static_cast<HostId>(hosts_.size() - 1);
}

Link& Fabric::link(HostId from, HostId to) {
  CHECK(from < hosts_.size() && to < hosts_.size());
  return from == to ? options.loopback : links_[from][to];
}

void Fabric::CutBothWays(HostId a, HostId b, bool cut) {
  link(a, b).cut = link(b, a).cut = cut;
  world_.Record(hosts_[a].name, cut ? "cut" : "healed", a, b);
}

Duration Fabric::DelayOf(HostId from, HostId to, size_t bytes) {
  Link& on = link(from, to);
  Duration delay = on.latency;
  if (on.jitter > Duration::zero()) {
    delay += Duration{random_.Below(static_cast<uint64_t>(on.jitter.count()))};
  }
  if (on.bytes_per_second == 0) return delay;
  auto sending = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(
      static_cast<double>(bytes) / static_cast<double>(on.bytes_per_second)));
  on.busy_until = std::max(on.busy_until, world_.now()) + sending;
  return on.busy_until - world_.now() + delay;
}

Result<HostId> Fabric::Find(IpAddress address) const {
  for (HostId i = 0; i < hosts_.size(); ++i) {
    if (hosts_[i].address == address) return i;
  }
  return Fail(Errc::kUnavailable, "no host has the address {}", address.ToString());
}

uint16_t Fabric::TakeEphemeralPort(HostId host) {
  uint16_t port = hosts_[host].next_port++;
  if (hosts_[host].next_port == 0) hosts_[host].next_port = kFirstEphemeralPort;
  return port;
}

void Fabric::Join(const std::shared_ptr<Connection>& connection) {
  connections_.push_back(connection);
  if (connections_.size() < forget_at_) return;
  std::erase_if(connections_, [](const auto& weak) { return weak.expired(); });
  forget_at_ = connections_.size() * 2 + 64;
}

void Fabric::ResetConnections(HostId a, HostId b) {
  for (const auto& weak : connections_) {
    auto connection = weak.lock();
    if (connection && connection->Joins(a, b)) connection->ResetBothEnds();
  }
}

void Fabric::RefuseConnects(Endpoint to, bool refuse) { refused_[to] = refuse; }

void Fabric::RaiseHost(HostId host) { hosts_[host].up = true; }

void Fabric::SilenceHost(HostId host) { hosts_[host].up = false; }

void Fabric::CloseHost(HostId host) {
  for (const auto& weak : connections_) {
    if (auto connection = weak.lock()) connection->CloseEndsAt(host);
  }
}

void Fabric::SeverHost(HostId host) {
  for (const auto& weak : connections_) {
    if (auto connection = weak.lock()) connection->SeverEndsAt(host);
  }
  std::erase_if(listeners_,
                [&](const auto& entry) { return entry.first.address == hosts_[host].address; });
  std::erase_if(datagrams_,
                [&](const auto& entry) { return entry.first.address == hosts_[host].address; });
}

Result<void> Fabric::Register(Endpoint at, SimListener& listener) {
  if (listeners_.emplace(at, &listener).second) return {};
  return Fail(Errc::kExists, "listen {}: the port is taken", at.ToString());
}

Result<void> Fabric::Register(Endpoint at, SimDatagrams& socket) {
  if (datagrams_.emplace(at, &socket).second) return {};
  return Fail(Errc::kExists, "bind {}: the port is taken", at.ToString());
}

void Fabric::Unregister(const SimListener& listener) {
  std::erase_if(listeners_, [&](const auto& entry) { return entry.second == &listener; });
}

void Fabric::Unregister(const SimDatagrams& socket) {
  std::erase_if(datagrams_, [&](const auto& entry) { return entry.second == &socket; });
}

SimListener* Fabric::ListenerAt(Endpoint at) const {
  auto refused = refused_.find(at);
  if (refused != refused_.end() && refused->second) return nullptr;
  auto found = listeners_.find(at);
  return found == listeners_.end() ? nullptr : found->second;
}

SimDatagrams* Fabric::DatagramsAt(Endpoint at) const {
  auto found = datagrams_.find(at);
  return found == datagrams_.end() ? nullptr : found->second;
}

}  // namespace meridian::io::sim
