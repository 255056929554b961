#include "io/net/socket_calls.hpp"

#include <cerrno>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/result.hpp"
#include "io/fd.hpp"
#include "io/net/socket_address.hpp"

namespace meridian::io {

void SetOption(int fd, int level, int name, int value) {
  setsockopt(fd, level, name, &value, sizeof value);
}

void SetNonBlocking(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

std::optional<Result<AcceptedSocket>> AcceptSocket(int listening) {
  for (;;) {
    SocketAddress peer;
    Fd fd(::accept4(listening, peer.get(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) {
      SetOption(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
      return AcceptedSocket{std::move(fd), peer.ToEndpoint()};
    }
    if (errno == EAGAIN) return std::nullopt;
    // These errors concern a connection that ended before it was accepted, not the listener.
    if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO) continue;
    return FailErrno(errno, "accept");
  }
}

}  // namespace meridian::io
