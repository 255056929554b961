#include "agent/instance_port.hpp"

#include "agent/limits.hpp"
#include "base/hash.hpp"
#include "io/socket.hpp"

namespace meridian::agent {

Result<uint16_t> FindInstancePort(std::string_view seed) {
  constexpr uint32_t kCount = kLastInstancePort - kFirstInstancePort + 1;
  auto begin = static_cast<uint32_t>(Hash64(seed) % kCount);
  for (uint32_t i = 0; i < kCount; ++i) {
    auto port = static_cast<uint16_t>(kFirstInstancePort + (begin + i) % kCount);
    // Bound at the wildcard address: that fails wherever any address has it.
    if (io::OpenListeningSocket({IpAddress(), port}, {})) return port;
  }
  return Fail(Errc::kUnavailable, "no free port between {} and {} for an instance",
              kFirstInstancePort, kLastInstancePort);
}

}  // namespace meridian::agent
