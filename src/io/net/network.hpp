// Network: makes streams, listeners and datagram sockets. Implemented by SystemNetwork
// (io/net/socket.hpp) and by the simulated network. One thread: the loop's.
#pragma once

#include <memory>
#include <optional>

#include "base/ip.hpp"
#include "base/result.hpp"
#include "io/net/datagram.hpp"
#include "io/net/stream.hpp"

namespace meridian::io {

struct ConnectOptions {
  // The local address of the connection: each data center uses its own, so that the lab can tell
  // links between data centers apart.
  std::optional<IpAddress> from;
  TimePoint deadline = kNever;
};

struct ListenOptions {
  bool reuse_port = false;  // several listeners, one per thread, may share the port
  int backlog = 4096;
};

class Network {
 public:
  virtual ~Network() = default;
  // Errors: kRefused, kTimeout, kUnavailable, kCancelled.
  virtual Task<Result<std::unique_ptr<Stream>>> Connect(Endpoint to, ConnectOptions options) = 0;
  // Port 0 lets the system choose a port; see Listener::local. kExists: the port is in use.
  virtual Result<std::unique_ptr<Listener>> Listen(Endpoint at, ListenOptions options) = 0;
  // A datagram socket bound to `at`.
  virtual Result<std::unique_ptr<Datagrams>> Bind(Endpoint at) = 0;
};

}  // namespace meridian::io
