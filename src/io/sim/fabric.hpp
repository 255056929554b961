// Fabric: the network between the hosts of a simulated world: which hosts there are, how each
// direction between two of them behaves, and who listens where. Links may be changed at any time,
// and what is on its way feels it. Owned by the World; one thread.
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

// One direction from one host to another. Streams feel a loss as the delay of a retransmission,
// and a cut as silence until it is healed.
struct Link {
  Duration latency = std::chrono::microseconds{500};
  Duration jitter{};              // added, uniformly drawn for each segment or datagram
  uint64_t bytes_per_second = 0;  // 0: boundless
  double loss = 0;                // chance for each
  double duplication = 0;         // datagrams only
  double reordering = 0;          // datagrams only: chance to be overtaken
  bool cut = false;

  TimePoint busy_until{};  // the fabric's: when what was sent so far has left
};

struct FabricOptions {
  double short_reads = 0;  // chance that a read or a write moves less than it could
  Link loopback{.latency = std::chrono::microseconds{20}};
};

class Fabric {
 public:
  Fabric(World& world, uint64_t seed) : world_(world), random_(seed) {}

  FabricOptions options;

  // The direction from one host to the other; itself for loopback.
  Link& link(HostId from, HostId to);
  void CutBothWays(HostId a, HostId b, bool cut);
  // As a middlebox that has lost its memory: both ends of every connection see a reset.
  void ResetConnections(HostId a, HostId b);
  // Connects to it are refused while it is so, whoever listens.
  void RefuseConnects(Endpoint to, bool refuse);

  // The rest is for processes and their networks.
  HostId AddHost(const std::string& name, IpAddress address);
  const std::string& NameOf(HostId host) const { return hosts_[host].name; }
  IpAddress AddressOf(HostId host) const { return hosts_[host].address; }
  bool IsUp(HostId host) const { return hosts_[host].up; }
  // Up again, or for the first time.
  void RaiseHost(HostId host);
  // Its machine is gone: nothing answers, not even with a reset.
  void SilenceHost(HostId host);
  // Its kernel closes what the process had open.
  void CloseHost(HostId host);
  // The process's streams and listeners do nothing any more.
  void SeverHost(HostId host);

  World& world() { return world_; }
  Random& random() { return random_; }
  // Whether what leaves `from` now comes to `to`.
  bool Passes(HostId from, HostId to) { return hosts_[to].up && !link(from, to).cut; }
  // How long a segment or a datagram of so many bytes takes, losses left aside. Takes its share of
  // the link's rate.
  Duration DelayOf(HostId from, HostId to, size_t bytes);
  // The host with this address, kUnavailable when there is none.
  Result<HostId> Find(IpAddress address) const;
  uint16_t TakeEphemeralPort(HostId host);

  void Join(const std::shared_ptr<Connection>& connection);
  // kExists when the port is taken.
  Result<void> Register(Endpoint at, SimListener& listener);
  Result<void> Register(Endpoint at, SimDatagrams& socket);
  void Unregister(const SimListener& listener);
  void Unregister(const SimDatagrams& socket);
  // Null when nobody does, or connects are refused.
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
