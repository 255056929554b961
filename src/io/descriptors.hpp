// The limit of descriptors of this process (RLIMIT_NOFILE), and connection limits derived from it.
// Meridian raises the soft limit to the hard limit, because it waits by epoll and not by select(2),
// which cannot handle descriptors above 1,023. Child processes get the former limit back
// (io::Process), because other programs may use select(2); child processes of Meridian raise it
// again.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include <sys/resource.h>

namespace meridian::io {

// Descriptors reserved for files, listeners and everything except visitors' connections.
constexpr size_t kReservedDescriptors = 128;

// Raises the soft limit to the hard limit. Call once at the program's start, before threads.
void RaiseDescriptorLimit();
// The limit before RaiseDescriptorLimit; nothing if it was not raised.
std::optional<rlimit> FormerDescriptorLimit();

// The same for each further loop of the process.
constexpr size_t kReservedPerLoop = 8;

// The number of loops, at most `wanted` and at least 1, that leave half of `limit` to connections.
// Pure.
size_t LoopsWithin(size_t limit, size_t wanted);
// LoopsWithin this process's limit. Logs a warning with `tier` when the result is below `wanted`.
size_t FittingLoops(std::string_view tier, size_t wanted);

// The number of files that a tier may keep open for long, at most `wanted` and at least 1: a
// quarter of `limit`. Pure.
size_t FilesWithin(size_t limit, size_t wanted);
// FilesWithin this process's limit. Logs a warning with `tier` when the result is below `wanted`.
size_t FittingFiles(std::string_view tier, size_t wanted);

// The number of connections, at most `wanted` and at least 1, that `limit` allows a process with so
// many loops, and so many files that stay open, when a connection takes `each` descriptors. Pure.
size_t ConnectionsWithin(size_t limit, size_t wanted, size_t each, size_t loops = 1,
                         size_t files = 0);
// ConnectionsWithin this process's limit. Logs a warning with `port` when the result is below
// `wanted`.
size_t FittingConnections(std::string_view port, size_t wanted, size_t each, size_t loops = 1,
                          size_t files = 0);

}  // namespace meridian::io
