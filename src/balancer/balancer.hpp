// The balancer: spreads requests of other data centers' edges over the healthy instances of the
// application, or, without a site, requests of any client over the servers of the command line. It
// connects its loops to the process, the sockets and the agent's view.
//
// One thread: the process's main loop; each loop has a BalancerLoop. Invariant: clients at the peer
// port have authenticated with a certificate of the site.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "balancer/balancer_loop.hpp"
#include "base/ip.hpp"
#include "dispatch/config.hpp"
#include "dispatch/tier_dispatcher.hpp"
#include "io/threads/per_loop.hpp"
#include "site/tier/tier_process.hpp"
#include "site/tier_description.hpp"

namespace meridian::balancer {

class Balancer {
 public:
  // With `servers` it runs without a site, and has no peer port.
  explicit Balancer(site::TierProcess& process, std::vector<Endpoint> servers = {});
  ~Balancer();

  // Runs the process with this balancer. Returns the exit status.
  int Run();

 private:
  using LoopSockets = std::vector<BalancerLoop::Sockets>;

  io::Task<Result<void>> Start();
  io::Task<void> Drain(Duration grace);
  Result<LoopSockets> OpenSockets();
  Result<void> OpenPeerSockets(LoopSockets* sockets);
  void UseServers();

  site::TierProcess& process_;
  const std::vector<Endpoint> servers_;
  dispatch::TierDispatcher instances_;
  io::PerLoop<BalancerLoop> loops_;
};

// The tier, for the composition root.
site::TierDescription Describe();

// A balancer without a site. It accepts X-Forwarded-* fields only from `config.forwarded_from`.
struct Alone {
  Endpoint listen;
  std::vector<Endpoint> servers;  // at least one
  std::string health_path = "/";
  std::optional<uint32_t> threads = {};  // absent: one for each core
  dispatch::Config config;
};
int RunAlone(Alone alone);

}  // namespace meridian::balancer
