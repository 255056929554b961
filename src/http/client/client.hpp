// Client: requests to one upstream (an address, perhaps by TLS) over a bounded pool of connections.
// One per loop and upstream; one thread. It must outlive its exchanges.
//
//   http::Sent sent = co_await client.Send({.method = "GET", .path = "/", .host = "photos"});
//   if (!sent) { ... sent.error().never_sent tells whether it may be tried elsewhere ... }
//   auto head = co_await sent->ReadHead();
//   while (...) { Result<Bytes> data = co_await sent->ReadBody(); ... }
//
// Whether a failed request can have been processed is told apart exactly, for that alone decides
// whether a request that is not idempotent may be sent again: `never_sent` means that the kernel
// took no byte of it. Once Send has given an exchange, the server may have processed the request.
// A server that closes an idle connection while a request is on its way to it leaves that open, and
// so a request that is not idempotent goes only where the kernel, asked just then, knows of no end.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "http/client/client_connection.hpp"
#include "http/client/client_exchange.hpp"
#include "http/free_list.hpp"
#include "http/limits.hpp"
#include "io/net/network.hpp"
#include "io/net/tls.hpp"
#include "io/wait_queue.hpp"

namespace meridian::http {

struct Upstream {
  Endpoint address;
  std::shared_ptr<io::TlsContext> tls = nullptr;  // null: plain HTTP
  std::string tls_name = {};                      // that the server's certificate must be for
  std::optional<IpAddress> from = {};             // our end of the connection
};

// A request's head, and its body when that is at hand. All of it must stay until Send is over.
struct Request {
  std::string_view method = "GET";
  std::string_view path = "/";
  std::optional<std::string_view> query = {};
  std::string_view host = {};  // the Host field
  // Fields that concern the connection or the framing, and Host, are the client's and left out.
  wire::http::FieldsView fields = {};
  std::string_view upgrade = {};  // a protocol to switch to, or none
  // What follows. kUntilClose cannot be.
  wire::http::BodyFraming body = {};
  // The whole body, sent in one write with the head (then without Expect). Its length must be the
  // one in `body`. Empty while `body` has one: ClientExchange::Write and Finish send it.
  Bytes content = {};
};

struct SendFailure {
  Error error;
  bool never_sent;
};

using Sent = std::expected<ClientExchange, SendFailure>;

class Client final : private io::Timer {
 public:
  Client(io::Loop& loop, io::Network& network, Upstream upstream, ClientLimits limits = {});
  // No exchange may be left.
  ~Client();

  // Takes a connection that is free and not stale, or opens one, or waits for one, and sends the
  // head, with the content if given. Errors: those of Connect and TLS; kUnavailable (too many wait
  // already), kTimeout, kCancelled; kInvalid (the head cannot be written).
  io::Task<Sent> Send(const Request& request);

  const Upstream& upstream() const { return upstream_; }
  size_t open_connections() const { return open_; }
  size_t idle_connections() const { return idle_.size(); }

  // Closes connections that no exchange uses.
  void CloseIdle();

 private:
  friend class ClientExchange;

  // Takes a connection back; null or not reusable: it is closed.
  void Release(std::unique_ptr<ClientConnection> connection, bool reusable);

  Result<size_t> TakeMemoryAndWrite(const Request& request, ClientConnection& connection);
  io::Task<Sent> Begin(const Request& request, std::unique_ptr<ClientConnection> connection,
                       size_t taken);
  io::Task<Result<std::unique_ptr<ClientConnection>>> Acquire(const Request& request);
  io::Task<Result<void>> WaitForFreeConnection();
  std::unique_ptr<ClientConnection> TakeIdle(const Request& request);
  io::Task<Result<std::unique_ptr<ClientConnection>>> Connect();
  // Connections that are idle or may be opened.
  size_t Free() const { return idle_.size() + limits_.max_connections - open_; }
  void OnTimer() override;
  void ScheduleSweep();

  io::Loop& loop_;
  io::Network& network_;
  Upstream upstream_;
  ClientLimits limits_;
  std::vector<std::unique_ptr<ClientConnection>> idle_;  // the one used last at the end
  FreeList<ResponseMemory> memories_{kMaxSpareMemories};
  io::WaitQueue waiting_;
  size_t open_ = 0;      // connections, idle ones and those being opened included
  size_t reserved_ = 0;  // of those free, meant for fibers that were woken and have not run yet
};

}  // namespace meridian::http
