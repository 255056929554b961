// Finds a port for an instance of the application, or for a process of a worker with metrics.
// Another process may take a port between these checks and its use: the caller must handle an
// instance that cannot listen.
#pragma once

#include <cstdint>

#include "agent/context.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "site/site.hpp"

namespace meridian::agent {

// Identifies an instance among those on this machine. The ports from kFirstInstancePort to
// kLastInstancePort are divided among them: each instance chooses from its own set of ports, so
// that no two instances of a site get the same port.
struct PortSlot {
  uint32_t data_center = 0;   // its index in site.toml, below `data_centers`
  uint32_t data_centers = 1;  // at least 1
  uint32_t instance = 0;      // its index, below `instances` of each data center
  uint32_t instances = 1;     // at least 1
  uint64_t seed = 0;          // start of the search; differs by site and by try
};

// The address of requests to them: they listen on all addresses or on this one.
inline const IpAddress kApplicationAddress = IpAddress::V4(127, 0, 0, 1);

// The slot of the instance with this index, or behind all instances of the process of a worker with
// metrics with this index. `tries`: starts of it before this one.
PortSlot InstanceSlot(const Context& context, uint32_t index, uint32_t tries);
PortSlot WorkerSlot(const Context& context, const site::Worker& worker, uint32_t index,
                    uint32_t tries);

// The first port of the slot, from `seed` on, that is not taken now. kUnavailable: all are taken,
// or there are more instances than ports.
Result<uint16_t> FindInstancePort(const PortSlot& slot);

// True if this process cannot listen at the port on all addresses: it is in use at some address,
// not permitted, or there is no free descriptor.
bool IsPortTaken(uint16_t port);

// True if a TCP socket of this host listens at `port` on all addresses (/proc/net/tcp, tcp6). False
// also when those files cannot be read.
bool ListensOnAllAddresses(uint16_t port);

}  // namespace meridian::agent
