// SystemNetwork: the machine's TCP, Unix and UDP sockets, on one loop's EpollDriver. Owned by main;
// it must outlive its streams. One thread: the loop's.
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

  // Unix sockets by path (under 108 bytes). Listening replaces the file of a dead socket; closing
  // the listener removes its file.
  Task<Result<std::unique_ptr<Stream>>> ConnectUnix(std::string path, TimePoint deadline);
  Result<std::unique_ptr<Listener>> ListenUnix(const std::string& path);

  // Wraps a descriptor: a connected stream socket (of a socket pair, say), a pipe's end, or an
  // inherited listening socket. Makes it non-blocking.
  std::unique_ptr<Stream> Adopt(Fd connected);
  std::unique_ptr<Listener> AdoptListener(Fd listening);

 private:
  EpollDriver& driver_;
};

// Opens a bound, listening TCP socket without a loop, for another thread or process.
Result<Fd> OpenListeningSocket(Endpoint at, const ListenOptions& options);
// Opens a bound, blocking UDP socket for io/net/datagram_batch.hpp.
Result<Fd> OpenDatagramSocket(Endpoint at, bool reuse_port);
// The address that a socket is bound to.
Endpoint LocalEndpoint(int fd);

}  // namespace meridian::io
