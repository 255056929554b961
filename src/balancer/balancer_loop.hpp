// BalancerLoop: the balancer on one loop of its process: servers, handler and dispatcher. Made,
// used and destroyed on the loop's thread; owned by the Balancer. It shares with the other loops
// only the roster of the instances, behind the dispatcher.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "balancer/handler.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "dispatch/config.hpp"
#include "dispatch/dispatcher.hpp"
#include "http/exchange.hpp"
#include "http/server/connection_budget.hpp"
#include "http/server/server.hpp"
#include "http/server/server_group.hpp"
#include "io/net/stream.hpp"
#include "io/net/tls.hpp"
#include "io/task.hpp"
#include "site/tier/tier_loop.hpp"

namespace meridian::balancer {

class BalancerLoop {
 public:
  // What the main loop has opened for a loop.
  struct Sockets {
    std::vector<std::unique_ptr<io::Listener>> clients;
    std::vector<std::unique_ptr<io::Listener>> peers;    // of the peer port; may be empty
    std::shared_ptr<io::TlsContext> peer_tls = nullptr;  // of this loop; null without `peers`
  };
  struct Options {
    const dispatch::Config& config;  // must outlive the BalancerLoop
    std::optional<IpAddress> edge = {};
    std::shared_ptr<http::ConnectionBudget> connections;  // of all loops
  };

  BalancerLoop(const site::TierLoop& on, std::unique_ptr<dispatch::Dispatcher> dispatcher,
               const Options& options, Sockets sockets);
  ~BalancerLoop();

  // To be awaited before it is destroyed.
  io::Task<void> Drain(Duration grace);

 private:
  io::Task<void> Handle(http::Exchange& exchange);
  http::ServerOptions ServerOptions(std::shared_ptr<io::TlsContext> tls);

  io::Loop& loop_;
  http::ServerMetrics server_metrics_;
  std::unique_ptr<dispatch::Dispatcher> dispatcher_;
  Handler handler_;
  std::shared_ptr<http::ServerGroup> group_;  // server_ and peer_server_
  http::Server server_;
  std::unique_ptr<http::Server> peer_server_;  // null without a peer port
};

}  // namespace meridian::balancer
