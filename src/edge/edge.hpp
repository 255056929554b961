// The edge: where visitors arrive. First cut: it forwards every request to the balancer of its own
// data center, or of the nearest one that can serve.
//
// One thread: the process's loop. Invariants: a request crosses to another data center at most
// once; what is answered under /.meridian/ never reaches an application.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/metrics.hpp"
#include "edge/config.hpp"
#include "edge/routes.hpp"
#include "http/forward.hpp"
#include "http/server.hpp"
#include "site/tier_process.hpp"

namespace meridian::edge {

class Edge {
 public:
  explicit Edge(site::TierProcess& process);
  ~Edge();

  io::Task<Result<void>> Start();
  void OnView();
  io::Task<void> Drain(Duration grace);

 private:
  io::Task<void> Handle(http::Exchange& exchange);
  io::Task<void> AnswerReserved(http::Exchange& exchange);
  io::Task<void> Forward(http::Exchange& exchange);
  io::Task<void> RedirectToHttps(http::Exchange& exchange);
  io::Task<void> AnswerUnavailable(http::Exchange& exchange);
  // The views stay until the request is answered.
  http::RelayOptions OptionsFor(std::string_view own_origin, bool debug, std::string& path) const;
  bool MayDebug(const http::Exchange& exchange) const;
  bool Ready() const;
  Result<void> ConnectUpstreams();
  // The site's own certificate, and those of site.toml by name.
  Result<std::shared_ptr<io::TlsContext>> VisitorTls() const;
  http::ServerLimits Limits() const;
  io::Task<void> ReportLoad();
  io::Task<void> WatchOwnBalancer();

  site::TierProcess& process_;
  const Config& config_;
  const std::string fallback_script_;
  http::ServerMetrics server_metrics_;
  Counter& visitor_connections_;
  Counter& visitor_requests_;
  Counter& crossings_;
  Counter& unavailable_;
  std::map<std::string, std::unique_ptr<http::Client>> balancers_;  // by data center
  bool own_balancer_answers_ = true;
  Routes routes_;
  http::Server http_;
  std::unique_ptr<http::Server> https_;
};

// Runs the tier's process; its exit status.
int Run(const site::Site& site, site::TierStart start);

}  // namespace meridian::edge
