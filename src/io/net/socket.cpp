#include "io/net/socket.hpp"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "io/epoll.hpp"
#include "io/fd.hpp"
#include "io/net/datagram.hpp"
#include "io/net/network.hpp"
#include "io/net/socket_address.hpp"
#include "io/net/socket_calls.hpp"
#include "io/net/socket_stream.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"

namespace meridian::io {
namespace {

int FamilyOf(const Endpoint& endpoint) { return endpoint.address.is_v4() ? AF_INET : AF_INET6; }

// The error in errno, with the endpoint.
std::unexpected<Error> FailAt(const char* what, const Endpoint& endpoint) {
  return FailErrno(errno, fmt::format("{} {}", what, endpoint.ToString()));
}

Result<Fd> OpenBound(Endpoint at, int type, bool reuse_port) {
  Fd fd(::socket(FamilyOf(at), type | SOCK_CLOEXEC, 0));
  if (!fd) return FailAt("socket", at);
  if (type == SOCK_STREAM) SetOption(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (reuse_port) SetOption(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  if (!at.address.is_v4()) SetOption(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  SocketAddress address(at);
  if (::bind(fd.get(), address.get(), address.size) != 0) return FailAt("bind", at);
  return fd;
}

class SocketListener final : public Listener, private EpollHandler {
 public:
  SocketListener(EpollDriver& driver, Fd fd, std::string unix_path)
      : driver_(driver), fd_(std::move(fd)), unix_path_(std::move(unix_path)) {
    SetNonBlocking(fd_.get());
    driver_.Add(fd_.get(), EPOLLIN, *this);
  }
  ~SocketListener() override { Close(); }

  Endpoint local() const override { return LocalEndpoint(fd_.get()); }

  void Close() override {
    if (!fd_) return;
    driver_.Remove(fd_.get());
    fd_.Reset();
    if (!unix_path_.empty()) ::unlink(unix_path_.c_str());
    InterruptAll();
  }

  std::optional<Accepted> TryAccept() override {
    if (!fd_) return Fail(Errc::kClosed, "accept: closed");
    auto accepted = AcceptSocket(fd_.get());
    if (!accepted) return std::nullopt;
    if (!*accepted) return Fail(std::move(accepted->error()));
    AcceptedSocket& socket = **accepted;
    return std::make_unique<SocketStream>(driver_, std::move(socket.fd),
                                          SocketStream::State::kConnected, socket.peer);
  }

 private:
  void OnEvents(uint32_t /*events*/) override { NotifyReadable(); }

  EpollDriver& driver_;
  Fd fd_;
  std::string unix_path_;
};

class SocketDatagrams final : public Datagrams, private EpollHandler {
 public:
  SocketDatagrams(EpollDriver& driver, Fd fd) : driver_(driver), fd_(std::move(fd)) {
    SetNonBlocking(fd_.get());
    driver_.Add(fd_.get(), EPOLLIN, *this);
  }
  ~SocketDatagrams() override { driver_.Remove(fd_.get()); }

  Endpoint local() const override { return LocalEndpoint(fd_.get()); }

  Result<void> Send(Bytes datagram, Endpoint to) override {
    SocketAddress address(to);
    ssize_t sent = ::sendto(fd_.get(), datagram.data(), datagram.size(), MSG_NOSIGNAL,
                            address.get(), address.size);
    if (sent < 0 && errno != EAGAIN && errno != ENOBUFS) return FailAt("send to", to);
    return {};
  }

 private:
  std::optional<Result<Received>> TryReceive(MutableBytes into) override {
    SocketAddress from;
    ssize_t count = ::recvfrom(fd_.get(), into.data(), into.size(), 0, from.get(), &from.size);
    if (count >= 0) return Received{static_cast<size_t>(count), from.ToEndpoint()};
    if (errno == EAGAIN || errno == EINTR) return std::nullopt;
    return FailErrno(errno, "receive");
  }
  void OnEvents(uint32_t /*events*/) override { NotifyReadable(); }

  EpollDriver& driver_;
  Fd fd_;
};

Result<sockaddr_un> UnixAddress(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return Fail(Errc::kTooLarge, "the socket path {} is over {} bytes", path,
                sizeof address.sun_path - 1);
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

// Waits until the started connect of `fd` is done.
Task<Result<std::unique_ptr<Stream>>> FinishConnect(EpollDriver& driver, Fd fd, int started,
                                                    TimePoint deadline) {
  if (started != 0 && errno != EINPROGRESS) co_return FailErrno(errno, "connect");
  auto stream =
      std::make_unique<SocketStream>(driver, std::move(fd), SocketStream::State::kConnecting);
  Result<void> connected = co_await stream->Write(std::span<const Bytes>{}, deadline);
  if (!connected) co_return Fail(std::move(connected.error()));
  co_return stream;
}

}  // namespace

Result<Fd> OpenListeningSocket(Endpoint at, const ListenOptions& options) {
  Result<Fd> fd = OpenBound(at, SOCK_STREAM, options.reuse_port);
  if (fd && ::listen(fd->get(), options.backlog) != 0) return FailAt("listen", at);
  return fd;
}

Result<Fd> OpenDatagramSocket(Endpoint at, bool reuse_port) {
  return OpenBound(at, SOCK_DGRAM, reuse_port);
}

Endpoint LocalEndpoint(int fd) {
  SocketAddress address;
  getsockname(fd, address.get(), &address.size);
  return address.ToEndpoint();
}

Task<Result<std::unique_ptr<Stream>>> SystemNetwork::Connect(Endpoint to, ConnectOptions options) {
  Fd fd(::socket(FamilyOf(to), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) co_return FailAt("socket", to);
  SetOption(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  if (options.from && options.from->is_v4() == to.address.is_v4()) {
    SetOption(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    SocketAddress from(Endpoint{*options.from, 0});
    if (::bind(fd.get(), from.get(), from.size) != 0) {
      co_return FailAt("bind", Endpoint{*options.from, 0});
    }
  }
  SocketAddress address(to);
  int started = ::connect(fd.get(), address.get(), address.size);
  auto stream = co_await FinishConnect(driver_, std::move(fd), started, options.deadline);
  if (!stream) {
    co_return Fail(stream.error().code, "{}: {}", to.ToString(), stream.error().message);
  }
  co_return stream;
}

Result<std::unique_ptr<Listener>> SystemNetwork::Listen(Endpoint at, ListenOptions options) {
  Result<Fd> fd = OpenListeningSocket(at, options);
  if (!fd) return Fail(std::move(fd.error()));
  return AdoptListener(std::move(*fd));
}

Result<std::unique_ptr<Datagrams>> SystemNetwork::Bind(Endpoint at) {
  Result<Fd> fd = OpenDatagramSocket(at, false);
  if (!fd) return Fail(std::move(fd.error()));
  return std::make_unique<SocketDatagrams>(driver_, std::move(*fd));
}

Task<Result<std::unique_ptr<Stream>>> SystemNetwork::ConnectUnix(std::string path,
                                                                 TimePoint deadline) {
  Result<sockaddr_un> address = UnixAddress(path);
  if (!address) co_return Fail(std::move(address.error()));
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) co_return FailErrno(errno, "socket");
  int started = ::connect(fd.get(), reinterpret_cast<sockaddr*>(&*address), sizeof *address);
  auto stream = co_await FinishConnect(driver_, std::move(fd), started, deadline);
  if (!stream) co_return Fail(stream.error().code, "{}: {}", path, stream.error().message);
  co_return stream;
}

Result<std::unique_ptr<Listener>> SystemNetwork::ListenUnix(const std::string& path) {
  Result<sockaddr_un> address = UnixAddress(path);
  if (!address) return Fail(std::move(address.error()));
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return FailErrno(errno, "socket");
  ::unlink(path.c_str());
  constexpr int kBacklog = 64;
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&*address), sizeof *address) != 0 ||
      ::listen(fd.get(), kBacklog) != 0) {
    return FailErrno(errno, path);
  }
  return std::make_unique<SocketListener>(driver_, std::move(fd), path);
}

std::unique_ptr<Stream> SystemNetwork::Adopt(Fd connected) {
  SetNonBlocking(connected.get());
  return std::make_unique<SocketStream>(driver_, std::move(connected),
                                        SocketStream::State::kConnected);
}

std::unique_ptr<Listener> SystemNetwork::AdoptListener(Fd listening) {
  return std::make_unique<SocketListener>(driver_, std::move(listening), "");
}

}  // namespace meridian::io
