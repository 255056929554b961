// System calls that several files of this folder make. Private to io/. Any thread.
#pragma once

#include <optional>

#include "base/ip.hpp"
#include "base/result.hpp"
#include "io/fd.hpp"

namespace meridian::io {

struct AcceptedSocket {
  Fd fd;  // connected, non-blocking, without Nagle's algorithm
  Endpoint peer;
};

// Nothing when no connection is queued. `listening` is non-blocking. Connections that ended while
// they were queued are skipped. kUnavailable: the process is out of descriptors or memory.
std::optional<Result<AcceptedSocket>> AcceptSocket(int listening);

// setsockopt with a number; errors are ignored.
void SetOption(int fd, int level, int name, int value);
void SetNonBlocking(int fd);

}  // namespace meridian::io
