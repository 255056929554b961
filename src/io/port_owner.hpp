// Which process has a port, from /proc: for messages about a port that cannot be had. Blocks for
// some milliseconds; other users' processes are seen by root alone.
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
  std::vector<std::string> command;  // its words; empty for one that has overwritten them
};

// The process that listens at `at`, or at all addresses with that port. Of several that share the
// socket, the one that was started first.
std::optional<PortOwner> OwnerOfPort(Endpoint at, Transport transport);

// Where one of `processes` accepts TCP connections.
std::optional<Endpoint> ListensAt(std::span<const pid_t> processes);

}  // namespace meridian::io
