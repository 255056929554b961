// The balancer: spreads requests of other data centers' edges over the healthy instances of the
// application, or, without a site, requests of any client over the servers of the command line. It
// connects the Dispatcher to the process, its sockets and the agent's view.
//
// One thread: the process's loop. Invariant: clients at the peer port have authenticated with a
// certificate of the site.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "balancer/handler.hpp"
#include "base/ip.hpp"
#include "dispatch/config.hpp"
#include "dispatch/tier_dispatcher.hpp"
#include "http/server/server.hpp"
#include "site/tier/tier_process.hpp"
#include "site/tier_description.hpp"

namespace meridian::balancer {

class Balancer {
 public:
  // With `servers` it runs without a site, and has no peer port.
  explicit Balancer(site::TierProcess& process, std::vector<Endpoint> servers = {});
  ~Balancer();

  io::Task<Result<void>> Start();
  void OnView();
  io::Task<void> Drain(Duration grace);

 private:
  io::Task<void> Handle(http::Exchange& exchange);
  Result<void> ServePeers();
  http::ServerOptions ServerOptions();
  void UseServers();

  site::TierProcess& process_;
  const std::vector<Endpoint> servers_;
  http::ServerMetrics server_metrics_;
  dispatch::TierDispatcher instances_;
  Handler handler_;
  std::shared_ptr<http::ServerGroup> group_;  // server_ and peer_server_
  http::Server server_;
  std::unique_ptr<http::Server> peer_server_;
};

// The tier, for the composition root.
site::TierDescription Describe();

// A balancer without a site. It accepts X-Forwarded-* fields only from `config.forwarded_from`.
struct Alone {
  Endpoint listen;
  std::vector<Endpoint> servers;  // at least one
  std::string health_path = "/";
  dispatch::Config config;
};
int RunAlone(Alone alone);

}  // namespace meridian::balancer
