// Client: sends requests to one upstream (an address, perhaps with TLS) over a bounded pool of
// connections. One per loop and upstream; one thread. It must outlive its exchanges.
//
//   http::Sent sent = co_await client.Send({.method = "GET", .path = "/", .host = "photos"});
//   if (!sent) { ... sent.error().never_sent tells whether it may be tried elsewhere ... }
//   auto head = co_await sent->ReadHead();
//   while (...) { Result<Bytes> data = co_await sent->ReadBody(); ... }
//
// The client reports exactly whether the server can have processed a failed request, because a
// request that is not idempotent may be repeated only if not: `never_sent` means that the kernel
// took no byte of it. Once Send has given an exchange, the server may have processed the request.
// When a server closes an idle connection while a request is in flight, the outcome is unknown.
// Before a request that is not idempotent the client therefore asks the kernel whether the
// connection has ended.
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
  std::string tls_name = {};                      // name required in the server's certificate
  std::optional<IpAddress> from = {};             // local address of the connection
};

// A request's head, and its body when it is in memory. All of it must stay valid until Send ends.
struct Request {
  std::string_view method = "GET";
  std::string_view path = "/";
  std::optional<std::string_view> query = {};
  std::string_view host = {};  // the Host field
  // Fields of the connection and the framing, and Host, are left out: the client writes its own.
  wire::http::FieldsView fields = {};
  std::string_view upgrade = {};  // the protocol to switch to; empty: none
  // The framing of the body. kUntilClose is not allowed.
  wire::http::BodyFraming body = {};
  // The whole body, sent in one write with the head (then without Expect). Its length must equal
  // the length in `body`. If `content` is empty and `body` is not, ClientExchange::Write and Finish
  // send the body.
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
  // No exchange may exist.
  ~Client();

  // Takes an idle connection that is not stale, opens one, or waits for one; then sends the head,
  // with the content if given. Errors: those of Connect and TLS; kUnavailable (too many requests
  // wait already), kTimeout, kCancelled; kInvalid (the head cannot be written).
  io::Task<Sent> Send(const Request& request);

  const Upstream& upstream() const { return upstream_; }
  size_t open_connections() const { return open_; }
  size_t idle_connections() const { return idle_.size(); }

  // Closes the idle connections.
  void CloseIdle();

 private:
  friend class ClientExchange;

  // Takes a connection back. A null connection counts as closed; one that is not reusable is
  // closed.
  void Release(std::unique_ptr<ClientConnection> connection, bool reusable);

  Result<size_t> TakeMemoryAndWrite(const Request& request, ClientConnection& connection);
  io::Task<Sent> Begin(const Request& request, std::unique_ptr<ClientConnection> connection,
                       size_t taken);
  io::Task<Result<std::unique_ptr<ClientConnection>>> Acquire(const Request& request);
  io::Task<Result<void>> WaitForFreeConnection();
  std::unique_ptr<ClientConnection> TakeIdle(const Request& request);
  io::Task<Result<std::unique_ptr<ClientConnection>>> Connect();
  // Number of connections that are idle or may be opened.
  size_t Free() const { return idle_.size() + limits_.max_connections - open_; }
  void OnTimer() override;
  void ScheduleSweep();

  io::Loop& loop_;
  io::Network& network_;
  Upstream upstream_;
  ClientLimits limits_;
  std::vector<std::unique_ptr<ClientConnection>> idle_;  // the most recently used is last
  FreeList<ResponseMemory> memories_{kMaxSpareMemories};
  io::WaitQueue waiting_;
  size_t open_ = 0;  // connections, including idle ones and those being opened
  size_t reserved_ =
      0;  // free connections reserved for fibers that were woken and have not run yet
};

}  // namespace meridian::http
