// Finds the process that owns a port, from /proc, for messages about a port that is in use. Blocks
// for some milliseconds. Only root sees other users' processes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/ip.hpp"

namespace meridian::io {

enum class Transport : uint8_t { kTcp, kUdp };

struct PortOwner {
  pid_t pid = 0;
  std::vector<std::string> command;  // its arguments; empty if the process has overwritten them
};

// The process that listens at `at`, or at all addresses with that port. If several processes share
// the socket: the one that was started first.
std::optional<PortOwner> OwnerOfPort(Endpoint at, Transport transport);

// An endpoint at which one of `processes` accepts TCP connections.
std::optional<Endpoint> ListensAt(std::span<const pid_t> processes);

}  // namespace meridian::io
