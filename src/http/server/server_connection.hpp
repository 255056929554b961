// ServerConnection: one connection of a server, from its first byte to its close, in HTTP/1.1
// (RFC 9112 9). Requests are answered in order, one at a time: pipelined ones wait in the buffer
// and in the kernel. Private to http/. One fiber, on whose stack it lives.
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

  // Serves requests until the connection ends.
  io::Task<void> Run();
  // Answers 503 to whatever comes: for a connection beyond the limit. Plain HTTP only.
  io::Task<void> RunRefused();

  // Closes the connection, which waits; false when bytes have come meanwhile.
  bool CloseIfWaiting();

 private:
  friend class WaitingConnections;

  io::Task<bool> ShakeHands();
  // Cancels `serving` when the client is gone: a handler may be waiting for something else.
  io::Task<void> WatchClient(io::Fiber& serving);
  // It has been told something since `sent` bytes, or is just being told, or is to end the tunnel.
  bool IsReceiving(uint64_t sent) const;
  uint64_t sent_bytes() const;
  io::Task<void> ServeRequests();
  // Waits, holding no buffers, until bytes have come, and reads them.
  io::Task<bool> WaitIdle();
  // Reads and parses a head. False: there is none, and the connection is to be ended.
  io::Task<bool> ReadHead();
  // Parses what is there. False: more must be read, or `refusal_` says what to answer.
  bool ParseHead();
  io::Task<bool> ServeOne();
  // Says the last word and closes.
  io::Task<void> Finish();
  // Answers a request that cannot be served.
  io::Task<void> Refuse();
  // Reads on for a while after the last answer, so that it is not lost to a reset.
  io::Task<void> Linger();

  struct Refusal {
    int status = 0;
    std::string_view why;
  };

  ServerContext& context_;
  std::unique_ptr<io::Stream> stream_;
  std::unique_ptr<RequestMemory> memory_;     // null while idle
  const ServerExchange* exchange_ = nullptr;  // the one that is being served
  uint64_t sent_bytes_ = 0;                   // in those before
  Refusal refusal_;
  bool linger_ = false;
  bool first_ = true;  // no request has been served yet
  WaitingConnections* waits_in_ = nullptr;
  ServerConnection* previous_waiting_ = nullptr;
  ServerConnection* next_waiting_ = nullptr;
};

}  // namespace meridian::http
