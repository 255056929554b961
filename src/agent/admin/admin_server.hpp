// The admin port: plain HTTP and TLS on the same port, distinguished by the first byte:
//
//   GET  /.meridian/view     the SiteView       a peer with the site's certificate, or the token
//   POST /.meridian/purge    admin_purges.hpp   the same
//   POST /.meridian/purges   admin_purges.hpp   the same
//   GET  /.meridian/status   this data center   the token
//   GET  /.meridian/cdn      admin_cdn.hpp      the token
//   POST /.meridian/logs     admin_logs.hpp     the token
//   POST /.meridian/drain    200, or 409        the token
//   POST /.meridian/undrain  200, or 409        the token
//   GET  /.meridian/tier/T/… the answer of T at its ops port          the token
//   POST /.meridian/tier/T/… an order to T                            the token
//   GET  /metrics            Prometheus text    the token, or the password of Prometheus
//   GET  /.meridian/metrics/TIER     admin_metrics.hpp   the token, or the password of Prometheus
//   GET  /.meridian/aggregates       admin_engines.hpp   a peer, or the token
//   GET  /.meridian/peer-aggregates  admin_engines.hpp   the token, or the password of Prometheus
//   any  /prometheus/…, /alertmanager/…   admin_engines.hpp   the token, also as any user's
//   password
//
// The token goes in `Authorization: Bearer …`; it is compared in constant time. Only loopback
// clients may use plain HTTP: from elsewhere the token would cross a network unencrypted. For the
// engines' pages alone it is also a password (`Basic`), which a browser sends with every request to
// this port, those for pages of other sites too: these are refused there, and have no effect
// elsewhere.
//
// Silent connections cannot lock an operator out: at the limit, a new connection evicts the
// connection that has been silent for the longest time.
//
// Owned by the agent's main; one thread: the loop's.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "agent/admin/admin_engines.hpp"
#include "agent/admin/admin_logs.hpp"
#include "agent/admin/admin_metrics.hpp"
#include "agent/admin/engine_route.hpp"
#include "agent/admin/refusals.hpp"
#include "agent/agent.hpp"
#include "agent/host/host_metrics.hpp"
#include "agent/purges/purges.hpp"
#include "http/server/server.hpp"
#include "io/fiber.hpp"
#include "site/secret.hpp"

namespace meridian::agent {

class AdminServer {
 public:
  AdminServer(const Context& context, Agent& agent, Purges& purges, HostMetrics& host,
              site::Secret token, std::shared_ptr<io::TlsContext> tls);

  Result<void> Start();
  io::Task<void> Stop();

 private:
  io::Task<void> Accept();
  // Connections that have not yet sent a byte, the oldest first.
  using Silent = std::deque<io::Fiber*>;

  bool IsOfThisHost(const Endpoint& peer) const;
  // Ends the connection that has been silent for the longest time. False: there is none.
  static bool EvictSilent(Silent& silent);
  void Take(std::unique_ptr<io::Stream> stream);
  io::Task<void> Admit(std::unique_ptr<io::Stream> stream, Silent& silent);
  io::Task<void> Handle(http::Exchange& exchange, bool is_peer);
  io::Task<void> HandlePeer(http::Exchange& exchange);
  io::Task<void> HandleOperator(http::Exchange& exchange);
  io::Task<void> HandleEngine(EngineDecision decision, http::Exchange& exchange);
  io::Task<void> AnswerMetrics(http::Exchange& exchange);
  io::Task<void> RestartInstance(http::Exchange& exchange);
  io::Task<void> AskTier(http::Exchange& exchange);
  io::Task<void> Greet(std::unique_ptr<io::Stream> stream);
  bool IsPeer(const std::vector<std::string>& names) const;
  bool HasToken(const http::Exchange& exchange) const;

  const Context& context_;
  Agent& agent_;
  Purges& purges_;
  AdminLogs logs_;
  AdminEngines engines_;
  AdminMetrics tier_metrics_;
  HostMetrics& host_;
  site::Secret token_;
  std::shared_ptr<io::TlsContext> tls_;
  std::unique_ptr<io::Listener> listener_;
  Refusals refusals_;
  // Clients of this host have a separate limit, which other clients cannot use up.
  Silent silent_here_;
  Silent silent_elsewhere_;
  http::Server server_here_;       // plain HTTP from this host, with the token
  http::Server server_elsewhere_;  // TLS clients, with the token
  http::Server peer_server_;       // by mutual TLS: other data centers
  io::Scope scope_;
};

}  // namespace meridian::agent
