// ServerConnection: one connection of a server, from its first byte to its close, in HTTP/1.1 (RFC
// 9112 9). It answers requests in order, one at a time: pipelined requests wait in the buffer and
// in the kernel. Private to http/. One fiber, on whose stack it lives.
#pragma once

#include <memory>

#include "http/server/server_context.hpp"
#include "io/scope.hpp"

namespace meridian::http {

class ServerExchange;

class ServerConnection {
 public:
  ServerConnection(ServerContext& context, std::unique_ptr<io::Stream> stream)
      : context_(context), stream_(std::move(stream)) {}

  // Serves requests until the connection ends. `handshake` is null without TLS.
  io::Task<void> Run(std::unique_ptr<io::Handshakes::Entry> handshake);
  // Answers 503 to the first request, for a connection beyond the limit. Plain HTTP only.
  io::Task<void> RunRefused();

  // Closes the waiting connection; false when bytes have arrived meanwhile.
  bool CloseIfWaiting();

 private:
  friend class WaitingConnections;

  io::Task<bool> ShakeHands(std::unique_ptr<io::Handshakes::Entry> handshake);
  // Cancels `serving` when the client is gone, because a handler may wait for something else.
  io::Task<void> WatchClient(io::Fiber& serving);
  // Whether the client gets bytes: some were written since `sent_bytes()` was `sent`, a write is
  // waiting, no exchange is open, or a tunnel is.
  bool IsReceiving(uint64_t sent) const;
  uint64_t sent_bytes() const;
  io::Task<void> ServeRequests();
  // Waits, holding no buffers, until bytes have arrived, and reads them.
  io::Task<bool> WaitIdle();
  // Reads and parses a head. False: there is none, and the connection must end.
  io::Task<bool> ReadHead();
  // Parses the bytes read so far. False: more must be read, or `refusal_` is set.
  bool ParseHead();
  io::Task<bool> ServeOne();
  // Sends the last answer, if any, and closes.
  io::Task<void> Finish();
  // Answers a request that cannot be served.
  io::Task<void> Refuse();
  // Reads for a while after the last answer, so that a reset does not destroy the answer.
  io::Task<void> Linger();

  struct Refusal {
    int status = 0;
    std::string_view why;
  };

  ServerContext& context_;
  std::unique_ptr<io::Stream> stream_;
  std::unique_ptr<RequestMemory> memory_;     // null while idle
  const ServerExchange* exchange_ = nullptr;  // the present exchange
  uint64_t sent_bytes_ = 0;                   // bytes sent in earlier exchanges
  Refusal refusal_;
  bool linger_ = false;
  bool first_ = true;  // no request has been served yet
  WaitingConnections* waits_in_ = nullptr;
  TimePoint waits_since_{};
  ServerConnection* previous_waiting_ = nullptr;
  ServerConnection* next_waiting_ = nullptr;
};

}  // namespace meridian::http
