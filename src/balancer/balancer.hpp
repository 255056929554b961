// The balancer: spreads requests over the instances of the application that are healthy: requests
// that other data centers' edges send here, or, without a site, those of any client over the
// servers that the command line names. This is the rim, which ties the Dispatcher to the process,
// its sockets and the agent's view.
//
// One thread: the process's loop. Invariant: what comes on the peer port has shown the site's
// certificate.
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
  // With `servers` it stands alone, and has no peer port.
  explicit Balancer(site::TierProcess& process, std::vector<Endpoint> servers = {});
  ~Balancer();

  io::Task<Result<void>> Start();
  void OnView();
  io::Task<void> Drain(Duration grace);

 private:
  io::Task<void> Handle(http::Exchange& exchange);
  Result<void> ServePeers();
  void UseServers();

  site::TierProcess& process_;
  const std::vector<Endpoint> servers_;
  http::ServerMetrics server_metrics_;
  dispatch::TierDispatcher instances_;
  Handler handler_;
  http::Server server_;
  std::unique_ptr<http::Server> peer_server_;
};

// The tier, for the composition root.
site::TierDescription Describe();

// A balancer without a site. It believes what `config.forwarded_from` says of visitors, and nobody
// else.
struct Alone {
  Endpoint listen;
  std::vector<Endpoint> servers;  // at least one
  std::string health_path = "/";
  dispatch::Config config;
};
int RunAlone(Alone alone);

}  // namespace meridian::balancer
