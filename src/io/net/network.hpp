// Network: where streams come from. The seam that the simulated network fills; the real one is
// SystemNetwork (io/net/socket.hpp). One thread: the loop's.
#pragma once

#include <memory>
#include <optional>

#include "base/ip.hpp"
#include "base/result.hpp"
#include "io/net/datagram.hpp"
#include "io/net/stream.hpp"

namespace meridian::io {

struct ConnectOptions {
  // The local address to speak from: each data center's own, so that links between them can be told
  // apart.
  std::optional<IpAddress> from;
  TimePoint deadline = kNever;
};

struct ListenOptions {
  bool reuse_port = false;  // several listeners, one per thread, share the port
  int backlog = 4096;
};

class Network {
 public:
  virtual ~Network() = default;
  // Errors: kRefused, kTimeout, kUnavailable, kCancelled.
  virtual Task<Result<std::unique_ptr<Stream>>> Connect(Endpoint to, ConnectOptions options) = 0;
  // Port 0 lets the system choose; see Listener::local. kExists: the port is taken.
  virtual Result<std::unique_ptr<Listener>> Listen(Endpoint at, ListenOptions options) = 0;
  // A datagram socket bound to `at`.
  virtual Result<std::unique_ptr<Datagrams>> Bind(Endpoint at) = 0;
};

}  // namespace meridian::io
