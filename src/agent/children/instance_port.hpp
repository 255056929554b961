// Finds a port for an instance of the application.
#pragma once

#include <cstdint>

#include "base/result.hpp"

namespace meridian::agent {

// Identifies an instance among those on this machine. Each instance chooses from its own set of
// ports, so that no two instances of a site get the same port.
struct PortSlot {
  uint32_t data_center = 0;  // its index in site.toml, below `data_centers`
  uint32_t data_centers = 1;
  uint32_t instance = 0;  // its index, below `instances` of each data center
  uint32_t instances = 1;
  uint64_t seed = 0;  // start of the search; differs by site and by try
};

// A port of the slot without a listener at any address at this moment. kUnavailable: all are taken.
Result<uint16_t> FindInstancePort(const PortSlot& slot);

// True if a socket listens at the port, at any address.
bool IsPortTaken(uint16_t port);

// True if a TCP socket of this host listens at `port` on all addresses (/proc/net/tcp, tcp6).
bool ListensOnAllAddresses(uint16_t port);

}  // namespace meridian::agent
