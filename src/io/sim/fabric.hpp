// Fabric: the network between the hosts of a simulated world: its hosts, the link for each
// direction between two hosts, and the listeners. Links may be changed at any time, with effect on
// data in flight. Owned by the World; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "io/sim/event_queue.hpp"

namespace meridian::io::sim {

class World;
class Connection;
class SimListener;
class SimDatagrams;

using HostId = uint32_t;

// The link from one host to another, in one direction. A stream sees a loss as the delay of a
// retransmission, and a cut as silence until the link heals.
struct Link {
  Duration latency = std::chrono::microseconds{500};
  Duration jitter{};              // added for each segment or datagram, uniformly drawn
  uint64_t bytes_per_second = 0;  // 0: unlimited
  double loss = 0;                // chance for each segment or datagram
  double duplication = 0;         // datagrams only
  double reordering = 0;          // datagrams only: chance to be overtaken
  bool cut = false;

  TimePoint busy_until{};  // used by the fabric: when all data sent so far has left the host
};

struct FabricOptions {
  double short_reads = 0;  // chance that a read or write transfers fewer bytes than it could
  Link loopback{.latency = std::chrono::microseconds{20}};
};

class Fabric {
 public:
  Fabric(World& world, uint64_t seed) : world_(world), random_(seed) {}

  FabricOptions options;

  // The link from one host to another. `from` and `to` may be the same host (loopback).
  Link& link(HostId from, HostId to);
  void CutBothWays(HostId a, HostId b, bool cut);
  // Resets both ends of every connection between the hosts, as a middlebox without connection state
  // does.
  void ResetConnections(HostId a, HostId b);
  // While `refuse` is set, connects to `to` are refused even if a process listens there.
  void RefuseConnects(Endpoint to, bool refuse);

  // The functions below are for processes and their networks.
  HostId AddHost(const std::string& name, IpAddress address);
  const std::string& NameOf(HostId host) const { return hosts_[host].name; }
  IpAddress AddressOf(HostId host) const { return hosts_[host].address; }
  bool IsUp(HostId host) const { return hosts_[host].up; }
  // The host starts or restarts.
  void RaiseHost(HostId host);
  // The host's machine crashed: it sends nothing, not even a reset.
  void SilenceHost(HostId host);
  // The host's kernel closes the process's connections.
  void CloseHost(HostId host);
  // The process's streams and listeners no longer do anything.
  void SeverHost(HostId host);

  World& world() { return world_; }
  Random& random() { return random_; }
  // Whether data sent now from `from` reaches `to`.
  bool Passes(HostId from, HostId to) { return hosts_[to].up && !link(from, to).cut; }
  // The delay of a segment or datagram of `bytes` bytes, without losses. Occupies the link's rate.
  Duration DelayOf(HostId from, HostId to, size_t bytes);
  // The host with this address. kUnavailable: no host has it.
  Result<HostId> Find(IpAddress address) const;
  uint16_t TakeEphemeralPort(HostId host);

  void Join(const std::shared_ptr<Connection>& connection);
  // kExists: the port is in use.
  Result<void> Register(Endpoint at, SimListener& listener);
  Result<void> Register(Endpoint at, SimDatagrams& socket);
  void Unregister(const SimListener& listener);
  void Unregister(const SimDatagrams& socket);
  // Null when no process listens there, or connects are refused.
  SimListener* ListenerAt(Endpoint at) const;
  SimDatagrams* DatagramsAt(Endpoint at) const;

 private:
  struct Host {
    std::string name;
    IpAddress address;
    bool up = false;
    uint16_t next_port = 0;
  };

  World& world_;
  Random random_;
  std::vector<Host> hosts_;
  std::vector<std::vector<Link>> links_;  // [from][to]
  std::map<Endpoint, SimListener*> listeners_;
  std::map<Endpoint, SimDatagrams*> datagrams_;
  std::map<Endpoint, bool> refused_;
  std::vector<std::weak_ptr<Connection>> connections_;  // in the order they were made
  size_t forget_at_ = 64;
};

}  // namespace meridian::io::sim
