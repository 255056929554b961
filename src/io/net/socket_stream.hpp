// SocketStream: a stream over a descriptor of the machine: TCP, Unix, or a pipe's end.
// Private to io/; made by SystemNetwork.
#pragma once

#include "base/ip.hpp"
#include "io/epoll.hpp"
#include "io/net/stream.hpp"

namespace meridian::io {

class SocketStream final : public Stream, private EpollHandler {
 public:
  enum class State : uint8_t { kConnecting, kConnected };
  // `peer`: of an accepted connection, so that it is still known when the connection is lost.
  SocketStream(EpollDriver& driver, Fd fd, State state, const Endpoint& peer = {});
  ~SocketStream() override;

  void ShutdownWrite() override;
  void Close() override;
  void Abort() override;
  Endpoint local() const override;
  Endpoint peer() const override;
  Result<size_t> TryRead(MutableBytes into) override;
  Result<size_t> TryWrite(std::span<const Bytes> pieces) override;
  Result<size_t> TryPeek(MutableBytes into) override;
  bool MaybeReadable() const override { return readable_; }
  bool hung_up() const override { return hung_up_; }
  bool peer_ended() const override { return ending_ || hung_up_; }
  bool AskReadable() override;

 private:
  void OnEvents(uint32_t events) override;
  Result<size_t> FinishConnecting();
  Result<size_t> Receive(MutableBytes into, int flags);

  EpollDriver& driver_;
  Fd fd_;
  const Endpoint peer_;  // with port 0: the kernel knows
  bool connecting_;
  bool is_socket_ = true;
  // What the last edge said; cleared when the kernel says "no more now". `ending_`: an end or an
  // error is queued, for which no further edge will come, so a short read does not clear
  // `readable_`.
  bool readable_;
  bool writable_;
  bool ending_ = false;
  bool hung_up_ = false;
};

}  // namespace meridian::io
