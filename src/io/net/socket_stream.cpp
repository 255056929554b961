#include "io/net/socket_stream.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "io/epoll.hpp"
#include "io/fd.hpp"
#include "io/file/disk.hpp"
#include "io/net/socket_address.hpp"
#include "io/net/socket_calls.hpp"
#include "io/net/stream.hpp"

namespace meridian::io {

SocketStream::SocketStream(EpollDriver& driver, Fd fd, State state, const Endpoint& peer,
                           std::shared_ptr<void> held)
    : driver_(driver),
      fd_(std::move(fd)),
      peer_(peer),
      held_(std::move(held)),
      connecting_(state == State::kConnecting),
      readable_(state == State::kConnected),
      writable_(state == State::kConnected) {
  struct stat status{};
  is_socket_ = fstat(fd_.get(), &status) == 0 && S_ISSOCK(status.st_mode);
  driver_.Add(fd_.get(), EPOLLIN | EPOLLOUT | EPOLLRDHUP, *this);
}

SocketStream::~SocketStream() {
  if (fd_) driver_.Remove(fd_.get());
}

void SocketStream::OnEvents(uint32_t events) {
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) ending_ = true;
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) hung_up_ = true;
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
    readable_ = true;
    NotifyReadable();
  }
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) {
    writable_ = true;
    NotifyWritable();
  }
  if (ending_) NotifyHangup();
}

Result<size_t> SocketStream::Receive(MutableBytes into, int flags) {
  if (!fd_) return Fail(Errc::kClosed, "read: closed");
  if (!readable_) return kBlocked;
  for (;;) {
    ssize_t count = is_socket_ ? ::recv(fd_.get(), into.data(), into.size(), flags)
                               : ::read(fd_.get(), into.data(), into.size());
    if (count >= 0) return static_cast<size_t>(count);
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return FailErrno(errno, "read");
    readable_ = false;
    return kBlocked;
  }
}

Result<size_t> SocketStream::TryRead(MutableBytes into) {
  Result<size_t> got = Receive(into, 0);
  if (got && *got < into.size() && !ending_) readable_ = false;
  return got;
}

Result<size_t> SocketStream::TryPeek(MutableBytes into) {
  if (!is_socket_) return Fail(Errc::kInvalid, "a pipe cannot be peeked at");
  return Receive(into, MSG_PEEK);
}

bool SocketStream::AskReadable() {
  // This check does not change the flags; the pending epoll edge still does.
  if (readable_ || !is_socket_ || !fd_) return readable_;
  uint8_t byte = 0;
  return ::recv(fd_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN;
}

Result<size_t> SocketStream::FinishConnecting() {
  if (!writable_) return kBlocked;
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return FailErrno(error, "connect");
  connecting_ = false;
  return size_t{0};
}

Result<size_t> SocketStream::WaitBeforeWriting() {
  if (!fd_) return Fail(Errc::kClosed, "write: closed");
  if (connecting_) return FinishConnecting();
  return size_t{0};
}

Result<size_t> SocketStream::TryWrite(std::span<const Bytes> pieces) {
  if (auto wait = WaitBeforeWriting(); !wait || *wait == kBlocked) return wait;
  if (pieces.empty()) return size_t{0};
  if (!writable_) return kBlocked;
  std::array<iovec, kMaxWritePieces> vector;  // NOLINT: filled below
  size_t count = 0;
  for (Bytes piece : pieces) {
    vector[count++] = {.iov_base = const_cast<uint8_t*>(piece.data()), .iov_len = piece.size()};
  }
  for (;;) {
    ssize_t sent = 0;
    if (is_socket_ && count == 1) {
      sent = ::send(fd_.get(), vector[0].iov_base, vector[0].iov_len, MSG_NOSIGNAL);
    } else if (is_socket_) {
      msghdr message{};
      message.msg_iov = vector.data();
      message.msg_iovlen = count;
      sent = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
    } else {
      sent = ::writev(fd_.get(), vector.data(), static_cast<int>(count));
    }
    if (sent >= 0) return static_cast<size_t>(sent);
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return FailErrno(errno, "write");
    writable_ = false;
    return kBlocked;
  }
}

Result<size_t> SocketStream::TrySendFile(const File& file, FileSpan span) {
  if (auto wait = WaitBeforeWriting(); !wait || *wait == kBlocked) return wait;
  int source = file.descriptor();
  if (source < 0 || !is_socket_) return kUnsupported;
  if (!writable_) return kBlocked;
  for (;;) {
    auto offset = static_cast<off_t>(span.offset);
    ssize_t sent = ::sendfile(fd_.get(), source, &offset, span.bytes);
    if (sent >= 0) return static_cast<size_t>(sent);
    if (errno == EINTR) continue;
    // The file's file system does not support it.
    if (errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP) return kUnsupported;
    if (errno != EAGAIN) return FailErrno(errno, "send");
    writable_ = false;
    return kBlocked;
  }
}

void SocketStream::Cork(bool corked) {
  if (fd_ && is_socket_) SetOption(fd_.get(), IPPROTO_TCP, TCP_CORK, corked ? 1 : 0);
}

void SocketStream::ShutdownWrite() {
  if (fd_ && is_socket_) ::shutdown(fd_.get(), SHUT_WR);
}

void SocketStream::Close() {
  if (!fd_) return;
  driver_.Remove(fd_.get());
  fd_.Reset();
  hung_up_ = true;
  InterruptAll();
}

void SocketStream::Abort() {
  if (fd_ && is_socket_) {
    linger reset{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  Close();
}

Endpoint SocketStream::local() const {
  SocketAddress address;
  getsockname(fd_.get(), address.get(), &address.size);
  return address.ToEndpoint();
}

Endpoint SocketStream::peer() const {
  if (peer_.port != 0) return peer_;
  SocketAddress address;
  getpeername(fd_.get(), address.get(), &address.size);
  return address.ToEndpoint();
}

}  // namespace meridian::io
