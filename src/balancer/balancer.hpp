// The balancer: spreads the requests of its data center's edge, and those that other data centers'
// edges send here, over the instances of the application that are healthy. This is the rim, which
// ties the Dispatcher to the process, its sockets and the agent's view.
//
// One thread: the process's loop. Invariant: what comes on the peer port has shown the site's
// certificate.
#pragma once

#include <memory>

#include "balancer/handler.hpp"
#include "dispatch/tier_dispatcher.hpp"
#include "http/server/server.hpp"
#include "site/tier/tier_process.hpp"
#include "site/tier_description.hpp"

namespace meridian::balancer {

class Balancer {
 public:
  explicit Balancer(site::TierProcess& process);
  ~Balancer();

  io::Task<Result<void>> Start();
  void OnView();
  io::Task<void> Drain(Duration grace);

 private:
  io::Task<void> Handle(http::Exchange& exchange);

  site::TierProcess& process_;
  http::ServerMetrics server_metrics_;
  dispatch::TierDispatcher instances_;
  Handler handler_;
  http::Server server_;
  std::unique_ptr<http::Server> peer_server_;
};

// The tier, for the composition root.
site::TierDescription Describe();

}  // namespace meridian::balancer
