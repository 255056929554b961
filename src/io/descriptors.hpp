// How many descriptors this process may have (RLIMIT_NOFILE), and the connection limits derived
// from it. Meridian waits by epoll, which has no use for a low soft limit: it takes what the hard
// one allows. Children get the former limit back (io::Process): programs of others may select(2),
// which ends at 1,024, and ours raise it again.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include <sys/resource.h>

namespace meridian::io {

// For files, listeners and all else that is no visitor's connection.
constexpr size_t kReservedDescriptors = 128;

// Raises the soft limit to the hard one. Once, at the program's start, before threads.
void RaiseDescriptorLimit();
// What the limit was before; nothing while it was not raised.
std::optional<rlimit> FormerDescriptorLimit();

// Of `wanted` connections that take `each` descriptors: as many as `limit` leaves room for, at
// least 1. Pure.
size_t ConnectionsWithin(size_t limit, size_t wanted, size_t each);
// The same with this process's limit. Fewer than wanted are a warning in the log, with `port`.
size_t FittingConnections(std::string_view port, size_t wanted, size_t each);

}  // namespace meridian::io
