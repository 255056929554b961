// The balancer: spreads the requests of its data center's edge, and those that other data centers'
// edges send here, over the instances of the application that are healthy.
//
// One thread: the process's loop. Invariants: a request is at one instance at a time; it is sent to
// another only where http::ForwardOnce allows that, at most `retries` times; what comes on the peer
// port has shown the site's certificate.
#pragma once

#include <memory>
#include <vector>

#include "balancer/config.hpp"
#include "balancer/instance.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "http/forward.hpp"
#include "http/server.hpp"
#include "site/tier_process.hpp"

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
  io::Task<void> Forward(http::Exchange& exchange);
  io::Task<void> AnswerUnavailable(http::Exchange& exchange);
  std::shared_ptr<Instance> ChooseFor(const std::vector<const Instance*>& tried);
  http::RelayOptions OptionsFor(const http::Exchange& exchange, std::string& path) const;
  void Release(Instance& instance);
  // Tells the agent, which waits for them, how many requests are at instances that leave.
  void ReportLeaving();
  void Note(Instance& instance, const http::ForwardOutcome& outcome);
  io::Task<void> CheckHealth(std::shared_ptr<Instance> instance);

  site::TierProcess& process_;
  const Config& config_;
  http::ServerMetrics server_metrics_;
  Counter& retries_;
  Counter& unavailable_;
  Counter& failures_;
  Random random_;
  http::Server server_;
  std::unique_ptr<http::Server> peer_server_;
  std::vector<std::shared_ptr<Instance>> instances_;
};

// Runs the tier's process; its exit status.
int Run(const site::Site& site, site::TierStart start);

}  // namespace meridian::balancer
