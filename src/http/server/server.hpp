// Server: accepts connections and calls a handler for each request. One per loop: a tier with
// several loops has several servers, which share listening sockets (io/net/shared_listener.hpp);
// each has its own TlsContext and metrics.
//
//   http::Server server(loop, {.limits = {}}, handler);
//   server.Serve(network.Listen(endpoint, {}).value());
//   ...
//   co_await server.Drain(loop.After(30s));      // before it is destroyed
//
// The handler runs in the connection's fiber. See exchange.hpp for its rules.
#pragma once

#include <memory>
#include <vector>

#include "http/exchange.hpp"
#include "http/limits.hpp"
#include "http/server/server_group.hpp"
#include "http/server/server_metrics.hpp"
#include "io/net/handshakes.hpp"
#include "io/net/tls.hpp"
#include "io/scope.hpp"
#include "io/wait_queue.hpp"

namespace meridian::http {

struct ServerContext;
class ServerGroup;

struct ServerOptions {
  ServerLimits limits = {};
  std::shared_ptr<io::TlsContext> tls = nullptr;  // null: plain HTTP
  ServerMetrics* metrics = nullptr;               // may be null; must outlive the server
  // The servers of this loop with which it shares a budget of connections; null: it has
  // limits.max_connections to itself.
  std::shared_ptr<ServerGroup> group = nullptr;
};

class Server {
 public:
  using Handler = std::function<io::Task<void>(Exchange&)>;

  Server(io::Loop& loop, ServerOptions options, Handler handler);
  // Every connection must have ended: call Drain first.
  ~Server();

  // Accepts connections from `listener` until Drain. May be called for several listeners.
  void Serve(std::unique_ptr<io::Listener> listener);
  // Serves a connection that other code accepted.
  void ServeStream(std::unique_ptr<io::Stream> stream);

  // While true, each answer announces the end of its connection, so that returning clients resolve
  // the name again.
  void SetRetiring(bool retiring);

  // Lets running requests end; answers contain `Connection: close`. For `grace`, at most, the
  // server still accepts connections, and kept connections may send one more request, so that
  // clients learn of the end from an answer and not from a close that crosses their next request.
  // Then it stops accepting and closes idle connections; at `deadline` it aborts the rest. Returns
  // when no connection is left.
  io::Task<void> Drain(TimePoint deadline, Duration grace = Duration::zero());

  size_t open_connections() const { return serving_; }

 private:
  io::Task<void> Accept(io::Listener& listener);
  void Admit(std::unique_ptr<io::Stream> stream);
  void RefuseForLimit(std::unique_ptr<io::Stream> stream);
  // `handshake` is null without TLS, `pending` where there is room.
  io::Task<void> Run(std::unique_ptr<io::Stream> stream,
                     std::unique_ptr<io::Handshakes::Entry> handshake,
                     std::shared_ptr<ServerGroup::Eviction> pending);
  io::Task<void> RunRefused(std::unique_ptr<io::Stream> stream);
  io::Task<void> Retire(TimePoint until);
  io::Task<void> AllClosed(TimePoint until);
  io::Task<void> AdmitRest(io::Listener& listener);

  std::unique_ptr<ServerContext> context_;
  std::vector<std::unique_ptr<io::Listener>> listeners_;
  io::Scope acceptors_;
  io::Scope connections_;
  io::WaitQueue all_closed_;
  // Of connections_: the served ones, and those that only get a 503.
  size_t serving_ = 0;
  size_t refusing_ = 0;
  TimePoint newest_ = TimePoint::min();  // when the newest connection was accepted
};

}  // namespace meridian::http
