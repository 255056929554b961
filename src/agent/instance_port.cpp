#include "agent/instance_port.hpp"

#include <cstdint>

#include "agent/limits.hpp"
#include "base/result.hpp"
#include "io/socket.hpp"

namespace meridian::agent {

bool IsPortTaken(uint16_t port) {
  // Bound at the wildcard address: that fails wherever any address has it.
  return !io::OpenListeningSocket({IpAddress(), port}, {}).has_value();
}

Result<uint16_t> FindInstancePort(const PortSlot& slot) {
  constexpr uint32_t kCount = kLastInstancePort - kFirstInstancePort + 1;
  uint32_t per_data_center = kCount / slot.data_centers;
  uint32_t choices = per_data_center / slot.instances;
  uint32_t first = kFirstInstancePort + slot.data_center * per_data_center + slot.instance;
  for (uint32_t i = 0; i < choices; ++i) {
    auto choice = static_cast<uint32_t>((slot.seed + i) % choices);
    auto port = static_cast<uint16_t>(first + choice * slot.instances);
    if (!IsPortTaken(port)) return port;
  }
  return Fail(Errc::kUnavailable, "no free port between {} and {} for an instance",
              kFirstInstancePort, kLastInstancePort);
}

}  // namespace meridian::agent
