// SystemNetwork: TCP, Unix and UDP sockets of the machine, on one loop's EpollDriver.
// One thread: the loop's. Owned by main; it must outlive its streams.
#pragma once

#include <string>

#include "io/epoll.hpp"
#include "io/fd.hpp"
#include "io/net/network.hpp"

namespace meridian::io {

class SystemNetwork final : public Network {
 public:
  explicit SystemNetwork(EpollDriver& driver) : driver_(driver) {}

  Task<Result<std::unique_ptr<Stream>>> Connect(Endpoint to, ConnectOptions options) override;
  Result<std::unique_ptr<Listener>> Listen(Endpoint at, ListenOptions options) override;
  Result<std::unique_ptr<Datagrams>> Bind(Endpoint at) override;

  // Unix sockets by path (under 108 bytes). Listening replaces a dead socket file and removes its
  // own at the end.
  Task<Result<std::unique_ptr<Stream>>> ConnectUnix(std::string path, TimePoint deadline);
  Result<std::unique_ptr<Listener>> ListenUnix(const std::string& path);

  // A descriptor made elsewhere: a connected stream socket (of a socket pair, say), a pipe's end,
  // or a listening socket that was inherited. It is made non-blocking.
  std::unique_ptr<Stream> Adopt(Fd connected);
  std::unique_ptr<Listener> AdoptListener(Fd listening);

 private:
  EpollDriver& driver_;
};

// A bound, listening TCP socket without a loop, to be handed to another thread or process.
Result<Fd> OpenListeningSocket(Endpoint at, const ListenOptions& options);
// A bound UDP socket, blocking, for io/net/datagram_batch.hpp.
Result<Fd> OpenDatagramSocket(Endpoint at, bool reuse_port);
// The address that a socket is bound to.
Endpoint LocalEndpoint(int fd);

}  // namespace meridian::io
