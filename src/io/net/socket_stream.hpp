// SocketStream: a Stream over a descriptor of the machine: TCP, Unix, or a pipe's end. Private to
// io/; made by SystemNetwork.
#pragma once

#include <memory>

#include "base/ip.hpp"
#include "io/epoll.hpp"
#include "io/net/stream.hpp"

namespace meridian::io {

class SocketStream final : public Stream, private EpollHandler {
 public:
  enum class State : uint8_t { kConnecting, kConnected };
  // `peer`: the peer of an accepted connection, kept so that it is known after the connection is
  // lost. `held`: kept until the stream is destroyed.
  SocketStream(EpollDriver& driver, Fd fd, State state, const Endpoint& peer = {},
               std::shared_ptr<void> held = {});
  ~SocketStream() override;

  void ShutdownWrite() override;
  void Close() override;
  void Abort() override;
  Endpoint local() const override;
  Endpoint peer() const override;
  Result<size_t> TryRead(MutableBytes into) override;
  Result<size_t> TryWrite(std::span<const Bytes> pieces) override;
  Result<size_t> TryPeek(MutableBytes into) override;
  Result<size_t> TrySendFile(const File& file, FileSpan span) override;
  void Cork(bool corked) override;
  bool MaybeReadable() const override { return readable_; }
  bool hung_up() const override { return hung_up_; }
  bool peer_ended() const override { return ending_ || hung_up_; }
  bool AskReadable() override;

 private:
  void OnEvents(uint32_t events) override;
  Result<size_t> FinishConnecting();
  // What a TryWrite must not pass: 0 when the connection can be written to, else kBlocked.
  Result<size_t> WaitBeforeWriting();
  Result<size_t> Receive(MutableBytes into, int flags);

  EpollDriver& driver_;
  Fd fd_;
  const Endpoint peer_;  // port 0: ask the kernel
  const std::shared_ptr<void> held_;
  bool connecting_;
  bool is_socket_ = true;
  // Set by the last epoll edge, cleared when the kernel returns EAGAIN. `ending_`: an end or an
  // error is queued and no further edge follows, so a short read must not clear `readable_`.
  bool readable_;
  bool writable_;
  bool ending_ = false;
  bool hung_up_ = false;
};

}  // namespace meridian::io
