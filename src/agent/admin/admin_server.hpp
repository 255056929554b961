// The admin port. It speaks plain HTTP and TLS on the one port, told apart by the first byte:
//
//   GET  /.meridian/view     the SiteView       a peer with the site's certificate, or the token
//   POST /.meridian/purge    admin_purges.hpp   the same
//   POST /.meridian/purges   admin_purges.hpp   the same
//   GET  /.meridian/status   this data center   the token
//   GET  /.meridian/cdn      admin_cdn.hpp      the token
//   POST /.meridian/drain    200, or 409        the token
//   POST /.meridian/undrain  200, or 409        the token
//   GET  /.meridian/tier/T/… what tier T says at its ops port       the token
//   GET  /metrics            Prometheus text    the token
//
// The token goes in `Authorization: Bearer …`; it is compared in constant time. Plain HTTP is
// served to loopback only: from elsewhere the token would cross a network in the clear.
//
// Connections that say nothing cannot lock an operator out: at the limit the longest silent one
// makes way for the newcomer.
//
// Owned by the agent's main; one thread: the loop's.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "agent/admin/refusals.hpp"
#include "agent/agent.hpp"
#include "agent/purges/purges.hpp"
#include "http/server/server.hpp"
#include "io/fiber.hpp"
#include "site/secret.hpp"

namespace meridian::agent {

class AdminServer {
 public:
  AdminServer(const Context& context, Agent& agent, Purges& purges, site::Secret token,
              std::shared_ptr<io::TlsContext> tls);

  Result<void> Start();
  io::Task<void> Stop();

 private:
  io::Task<void> Accept();
  // Connections of Admit, the longest silent first.
  using Silent = std::deque<io::Fiber*>;

  bool IsOfThisHost(const Endpoint& peer) const;
  // Ends the connection that has said nothing for the longest time. False: there is none.
  static bool EvictSilent(Silent& silent);
  void Take(std::unique_ptr<io::Stream> stream);
  io::Task<void> Admit(std::unique_ptr<io::Stream> stream, Silent& silent);
  io::Task<void> Handle(http::Exchange& exchange, bool is_peer);
  io::Task<void> HandlePeer(http::Exchange& exchange);
  io::Task<void> HandleOperator(http::Exchange& exchange);
  io::Task<void> RestartInstance(http::Exchange& exchange);
  io::Task<void> AskTier(http::Exchange& exchange);
  io::Task<void> Greet(std::unique_ptr<io::Stream> stream);
  bool IsPeer(const std::vector<std::string>& names) const;
  bool HasToken(const http::Exchange& exchange) const;

  const Context& context_;
  Agent& agent_;
  Purges& purges_;
  site::Secret token_;
  std::shared_ptr<io::TlsContext> tls_;
  std::unique_ptr<io::Listener> listener_;
  Refusals refusals_;
  // This host's operators have room of their own, which strangers cannot fill.
  Silent silent_here_;
  Silent silent_elsewhere_;
  http::Server server_here_;       // clients of this host, with the token
  http::Server server_elsewhere_;  // the same, by TLS
  http::Server peer_server_;       // by mutual TLS: other data centers
  io::Scope scope_;
};

}  // namespace meridian::agent
