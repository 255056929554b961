// Stream and Listener: the interface of connections for fibers. TCP and Unix sockets
// (io/net/socket.cpp), TLS (io/net/tls.hpp) and the simulated network implement the Try functions;
// all other code awaits the operations. An await costs one virtual call and no allocation.
//
// One thread: the loop's. At most one fiber reads and one writes at a time. Owned by the code that
// accepted or connected it. The destructor closes the stream; no fiber may be waiting on it then.
#pragma once

#include <array>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "io/task.hpp"

namespace meridian::io {

class File;

// Bytes of a file.
struct FileSpan {
  uint64_t offset = 0;
  size_t bytes = 0;
};

// The limit of pieces that one Write gathers.
constexpr size_t kMaxWritePieces = 8;

// A wait on a stream or listener whose operation is retried on each notification.
class RetryWaiter : public Waiter {
 public:
  virtual void Retry() = 0;

 protected:
  ~RetryWaiter() = default;
};

class Stream {
 public:
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream();

  class ReadOperation;
  class WriteOperation;
  class SendFileOperation;  // in stream_send_file.cpp
  class SignalOperation;

  // Reads the available bytes: at least one, at most `into.size()` (> 0). Result<size_t>; 0 is the
  // end of the stream. Errors: kReset, kTimeout, kCancelled, kClosed, kInvalid (TLS).
  ReadOperation Read(MutableBytes into, TimePoint deadline = kNever);

  // Writes all of the pieces, in order. Result<void>. Waits while the peer does not read
  // (backpressure). After an error some of the bytes may have been sent. The bytes must stay valid
  // until the await ends.
  WriteOperation Write(Bytes data, TimePoint deadline = kNever);
  WriteOperation Write(std::initializer_list<Bytes> pieces, TimePoint deadline = kNever);
  WriteOperation Write(std::span<const Bytes> pieces, TimePoint deadline = kNever);

  // Sends the bytes of `span`, all of which must be in the file. Waits as Write does. Where the
  // machine can, the kernel sends them from its page cache, without a copy in this process; else
  // they are read in blocks and written. Errors: those of Write and of File::ReadAt; kIo: the file
  // ends before the span does. The file may have been opened on another loop (io/file/disk.hpp),
  // and must stay open until the await ends. What is cut off or overwritten in the file may still
  // change bytes that the peer has not received.
  Task<Result<void>> SendFile(File& file, FileSpan span, TimePoint deadline = kNever);

  // While a Corked object exists, the kernel sends full packets only: for a message that takes
  // several writes. The end of the last one sends the rest.
  class Corked;

  // Waits until a Read would not wait, holding no buffer: the wait of an idle connection.
  // Result<void>.
  SignalOperation Readable(TimePoint deadline = kNever);

  // Waits until the connection is dead in both directions (reset, or closed by us), not only
  // half-closed. Result<void>: success means dead. May wait beside a reader and a writer.
  SignalOperation Hangup(TimePoint deadline = kNever);

  // Waits until the peer has ended its direction, or the connection is dead. Result<void>: success
  // means either of these. Bytes sent before may still be unread. Must not wait beside Hangup.
  SignalOperation PeerEnd(TimePoint deadline = kNever);

  // Ends this side's direction (half-close). Reading continues.
  virtual void ShutdownWrite() = 0;
  // Ends both directions at once; waiting operations end with kClosed.
  virtual void Close() = 0;
  // Closes with a reset, so that the peer does not take the received bytes for a whole message.
  virtual void Abort() = 0;

  virtual Endpoint local() const = 0;
  virtual Endpoint peer() const = 0;

  // The result of a Try function that would have to wait.
  static constexpr size_t kBlocked = SIZE_MAX;

  // Each transfers the bytes that it can now. TryRead gives 0 at the end. TryWrite with no pieces
  // finishes the steps before the first byte (connecting, a handshake) and gives 0.
  virtual Result<size_t> TryRead(MutableBytes into) = 0;
  virtual Result<size_t> TryWrite(std::span<const Bytes> pieces) = 0;
  // The result of TrySendFile where this stream cannot send from this file.
  static constexpr size_t kUnsupported = SIZE_MAX - 1;
  // As TryWrite, from a file; `span` is not empty. 0: the file ends before `span` begins.
  virtual Result<size_t> TrySendFile(const File& file, FileSpan span);
  // Begins or ends the holding back of packets that are not full. Does nothing where there are no
  // packets.
  virtual void Cork(bool /*corked*/) {}
  // As TryRead, but leaves the bytes to be read. kInvalid where the kernel does not support it.
  virtual Result<size_t> TryPeek(MutableBytes into);
  virtual bool MaybeReadable() const = 0;
  virtual bool hung_up() const = 0;
  // Whether PeerEnd would not wait. Where a half-close is not visible: whether the connection is
  // dead.
  virtual bool peer_ended() const { return hung_up(); }
  // As MaybeReadable, but asks the kernel, which may know of bytes or an end before any event
  // reports them. Costs a system call.
  virtual bool AskReadable() { return MaybeReadable(); }
  // Whether a Write waits for the peer to read.
  bool write_waits() const { return writer_ != nullptr; }

 protected:
  // Called by the implementation, on the loop's thread, when a Try may succeed now.
  void NotifyReadable();
  void NotifyWritable();
  void NotifyHangup();  // also when the peer ended its direction
  // Ends every wait with kClosed (in Close and Abort).
  void InterruptAll();

 private:
  friend class TlsStream;
  RetryWaiter* reader_ = nullptr;
  RetryWaiter* writer_ = nullptr;
  RetryWaiter* watcher_ = nullptr;
  Stream* outer_ = nullptr;  // the TLS stream around this one is notified instead
  size_t corks_ = 0;
};

// Owned by a fiber that writes; the stream outlives it.
class Stream::Corked {
 public:
  explicit Corked(Stream& stream) : stream_(stream) {
    if (stream_.corks_++ == 0) stream_.Cork(true);
  }
  Corked(const Corked&) = delete;
  Corked& operator=(const Corked&) = delete;
  ~Corked() {
    if (--stream_.corks_ == 0) stream_.Cork(false);
  }

 private:
  Stream& stream_;
};

// The awaitables. Only the implementation uses their members.
class Stream::ReadOperation final : public RetryWaiter {
 public:
  ReadOperation(Stream& stream, MutableBytes into, TimePoint deadline)
      : stream_(stream), into_(into), deadline_(deadline) {}
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> handle) {
    return Start(*handle.promise().fiber, handle);
  }
  Result<size_t> await_resume() { return std::move(result_); }
  void Interrupt(Errc why) override;
  void Retry() override;

 private:
  bool Start(Fiber& fiber, std::coroutine_handle<> handle);

  Stream& stream_;
  MutableBytes into_;
  TimePoint deadline_;
  Fiber* fiber_ = nullptr;
  Result<size_t> result_ = size_t{0};
};

class Stream::WriteOperation final : public RetryWaiter {
 public:
  WriteOperation(Stream& stream, std::span<const Bytes> pieces, TimePoint deadline);
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> handle) {
    return Start(*handle.promise().fiber, handle);
  }
  Result<void> await_resume() { return std::move(result_); }
  void Interrupt(Errc why) override;
  void Retry() override;

 private:
  bool Start(Fiber& fiber, std::coroutine_handle<> handle);
  // Continues to write; true when all is written or an error occurred.
  bool Advance();

  Stream& stream_;
  TimePoint deadline_;
  Fiber* fiber_ = nullptr;
  std::array<Bytes, kMaxWritePieces> pieces_;
  size_t next_ = 0;
  size_t count_ = 0;
  Result<void> result_;
};

class Stream::SignalOperation final : public RetryWaiter {
 public:
  enum class Kind : uint8_t { kReadable, kHangup, kPeerEnd };
  SignalOperation(Stream& stream, Kind kind, TimePoint deadline)
      : stream_(stream), kind_(kind), deadline_(deadline) {}
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> handle) {
    return Start(*handle.promise().fiber, handle);
  }
  Result<void> await_resume() { return std::move(result_); }
  void Interrupt(Errc why) override;
  void Retry() override;

 private:
  bool Start(Fiber& fiber, std::coroutine_handle<> handle);
  bool Holds() const;
  RetryWaiter*& Slot();

  Stream& stream_;
  Kind kind_;
  TimePoint deadline_;
  Fiber* fiber_ = nullptr;
  Result<void> result_;
};

// Accepts connections. Owned by the server that accepts from it. One fiber at a time accepts.
class Listener {
 public:
  Listener() = default;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  virtual ~Listener();

  class AcceptOperation;
  // Result<std::unique_ptr<Stream>>. kUnavailable: the process is out of descriptors; wait and
  // retry.
  AcceptOperation Accept(TimePoint deadline = kNever);

  virtual Endpoint local() const = 0;
  virtual void Close() = 0;

  // Nothing when no connection is queued.
  using Accepted = Result<std::unique_ptr<Stream>>;
  virtual std::optional<Accepted> TryAccept() = 0;

 protected:
  void NotifyReadable();
  void InterruptAll();

 private:
  RetryWaiter* acceptor_ = nullptr;
};

class Listener::AcceptOperation final : public RetryWaiter {
 public:
  AcceptOperation(Listener& listener, TimePoint deadline)
      : listener_(listener), deadline_(deadline) {}
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> handle) {
    return Start(*handle.promise().fiber, handle);
  }
  Accepted await_resume() { return std::move(*result_); }
  void Interrupt(Errc why) override;
  void Retry() override;

 private:
  bool Start(Fiber& fiber, std::coroutine_handle<> handle);

  Listener& listener_;
  TimePoint deadline_;
  Fiber* fiber_ = nullptr;
  std::optional<Accepted> result_;
};

inline Stream::ReadOperation Stream::Read(MutableBytes into, TimePoint deadline) {
  return {*this, into, deadline};
}
inline Stream::WriteOperation Stream::Write(Bytes data, TimePoint deadline) {
  return {*this, {&data, 1}, deadline};
}
inline Stream::WriteOperation Stream::Write(std::initializer_list<Bytes> pieces,
                                            TimePoint deadline) {
  return {*this, {pieces.begin(), pieces.size()}, deadline};
}
inline Stream::WriteOperation Stream::Write(std::span<const Bytes> pieces, TimePoint deadline) {
  return {*this, pieces, deadline};
}
inline Stream::SignalOperation Stream::Readable(TimePoint deadline) {
  return {*this, SignalOperation::Kind::kReadable, deadline};
}
inline Stream::SignalOperation Stream::Hangup(TimePoint deadline) {
  return {*this, SignalOperation::Kind::kHangup, deadline};
}
inline Stream::SignalOperation Stream::PeerEnd(TimePoint deadline) {
  return {*this, SignalOperation::Kind::kPeerEnd, deadline};
}
inline Listener::AcceptOperation Listener::Accept(TimePoint deadline) { return {*this, deadline}; }

}  // namespace meridian::io
