// Server: accepts connections and calls a handler for each request. One per loop: a tier with
// several threads has several, which share listening ports (reuse_port); a TlsContext and metrics
// are each thread's own.
//
//   http::Server server(loop, {.limits = {}}, handler);
//   server.Serve(network.Listen(endpoint, {}).value());
//   ...
//   co_await server.Drain(loop.After(30s));      // before it is destroyed
//
// The handler runs in the connection's fiber. See exchange.hpp for what it may do.
#pragma once

#include <memory>
#include <vector>

#include "http/exchange.hpp"
#include "http/limits.hpp"
#include "http/server/server_metrics.hpp"
#include "io/net/tls.hpp"
#include "io/scope.hpp"
#include "io/wait_queue.hpp"

namespace meridian::http {

struct ServerContext;

struct ServerOptions {
  ServerLimits limits = {};
  std::shared_ptr<io::TlsContext> tls = nullptr;  // null: plain HTTP
  ServerMetrics* metrics = nullptr;               // may be null; must outlive the server
};

class Server {
 public:
  using Handler = std::function<io::Task<void>(Exchange&)>;

  Server(io::Loop& loop, ServerOptions options, Handler handler);
  // Every connection must have ended: Drain first.
  ~Server();

  // Accepts from `listener` until Drain. May be called for several.
  void Serve(std::unique_ptr<io::Listener> listener);
  // Serves a connection that was made elsewhere.
  void ServeStream(std::unique_ptr<io::Stream> stream);

  // While it is true, each answer is the last on its connection, and says so: clients that come
  // again look up where to.
  void SetRetiring(bool retiring);

  // Lets what was begun come to its end: answers say `Connection: close`. For `grace`, at most, it
  // goes on accepting, and kept connections may bring one more request, so that clients learn of
  // the end from an answer and not from a close that crosses their next request. Then it stops
  // accepting and closes idle connections; at `deadline` the rest is broken off. Returns when no
  // connection is left.
  io::Task<void> Drain(TimePoint deadline, Duration grace = Duration::zero());

  size_t open_connections() const { return serving_; }

 private:
  io::Task<void> Accept(io::Listener& listener);
  void Admit(std::unique_ptr<io::Stream> stream);
  void RefuseForLimit(std::unique_ptr<io::Stream> stream);
  io::Task<void> Run(std::unique_ptr<io::Stream> stream);
  io::Task<void> RunRefused(std::unique_ptr<io::Stream> stream);
  io::Task<void> Retire(TimePoint until);
  io::Task<void> AllClosed(TimePoint until);

  std::unique_ptr<ServerContext> context_;
  std::vector<std::unique_ptr<io::Listener>> listeners_;
  io::Scope acceptors_;
  io::Scope connections_;
  io::WaitQueue all_closed_;
  // Of connections_: those that are served, and those that are only told 503.
  size_t serving_ = 0;
  size_t refusing_ = 0;
  TimePoint newest_ = TimePoint::min();  // when a connection was accepted last
};

}  // namespace meridian::http
