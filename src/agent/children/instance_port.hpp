// A port for an instance of the application.
#pragma once

#include <cstdint>

#include "base/result.hpp"

namespace meridian::agent {

// Which of the instances on this machine it is: each has ports of its own to choose from, so that
// no two of one site can be given the same.
struct PortSlot {
  uint32_t data_center = 0;  // its place in site.toml, of `data_centers`
  uint32_t data_centers = 1;
  uint32_t instance = 0;  // from 0, of `instances` in each data center
  uint32_t instances = 1;
  uint64_t seed = 0;  // where the search begins: another for another site, or another try
};

// A port of the slot that nothing listens on, at any address, at this moment. kUnavailable: all are
// taken.
Result<uint16_t> FindInstancePort(const PortSlot& slot);

// Whether something listens there, at any address.
bool IsPortTaken(uint16_t port);

// Whether a TCP socket of this host listens at `port` on all addresses (/proc/net/tcp, tcp6).
bool ListensOnAllAddresses(uint16_t port);

}  // namespace meridian::agent
