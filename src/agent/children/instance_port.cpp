#include "agent/children/instance_port.hpp"

#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "agent/context.hpp"
#include "agent/limits.hpp"
#include "base/hash.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "io/net/socket.hpp"
#include "site/site.hpp"

namespace meridian::agent {

PortSlot InstanceSlot(const Context& context, uint32_t index, uint32_t tries) {
  const auto& all = context.site.datacenters;
  uint32_t processes = context.site.app.instances;
  for (const site::Worker& worker : context.site.workers) {
    if (!worker.metrics_path.empty()) processes += worker.instances;
  }
  return {.data_center = static_cast<uint32_t>(&context.here - all.data()),
          .data_centers = static_cast<uint32_t>(all.size()),
          .instance = index,
          .instances = processes,
          .seed = Hash64(context.state_directory.string()) + tries};
}

PortSlot WorkerSlot(const Context& context, const site::Worker& worker, uint32_t index,
                    uint32_t tries) {
  uint32_t before = context.site.app.instances;
  for (const site::Worker& each : context.site.workers) {
    if (&each == &worker) break;
    if (!each.metrics_path.empty()) before += each.instances;
  }
  return InstanceSlot(context, before + index, tries);
}

bool IsPortTaken(uint16_t port) {
  // Binding the wildcard address fails if any address has a listener at the port.
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

bool ListensOnAllAddresses(uint16_t port) {
  // "  0: 00000000:1F90 00000000:0000 0A ...": number, local address and port, remote, state.
  const std::string v4 = fmt::format(" {:08X}:{:04X} ", 0, port);
  const std::string v6 = fmt::format(" {:032X}:{:04X} ", 0, port);
  constexpr std::string_view kListening = " 0A ";
  for (const char* file : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream table(file);
    for (std::string line; std::getline(table, line);) {
      bool at_all = line.find(v4) != std::string::npos || line.find(v6) != std::string::npos;
      if (at_all && line.find(kListening) != std::string::npos) return true;
    }
  }
  return false;
}

}  // namespace meridian::agent
