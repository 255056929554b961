// Reads the state of this host from the kernel. Blocks, for a few milliseconds where many processes
// run: not for the agent's loop. Any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/host/host_reading.hpp"

namespace meridian::agent {

struct HostPaths {
  std::string proc = "/proc";
  std::string sys = "/sys";
  std::string state_directory;
};

HostReading ReadHost(const HostPaths& paths, const std::vector<ProcessSubject>& subjects);

// The file system that has `path`. Nothing: it cannot be read.
std::optional<FilesystemReading> ReadFilesystem(const std::string& path);
// Nothing: a sandbox forbids adjtimex(2).
std::optional<ClockReading> ReadClock();

}  // namespace meridian::agent
