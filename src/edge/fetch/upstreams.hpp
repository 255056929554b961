// Upstreams: the servers that the edge forwards requests to, in the order in which they are tried.
// For an edge of a site they are its own instances and the balancers of other data centers, by the
// view; for an edge without a site, its one origin. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "dispatch/dispatcher.hpp"
#include "dispatch/tier_dispatcher.hpp"
#include "edge/config.hpp"
#include "edge/fetch/routes.hpp"
#include "http/client/client.hpp"
#include "io/task.hpp"
#include "site/tier/tier_process.hpp"

namespace meridian::edge {

// One upstream of a route. Either `dispatcher` (the instances here) or `client` (a server) is set.
struct Hop {
  std::string name;
  dispatch::Dispatcher* dispatcher = nullptr;
  http::Client* client = nullptr;
  bool crosses = false;     // to another data center
  uint16_t datacenter = 0;  // its index in the site's list
};
// Immutable: a request keeps its route when the view changes.
using Route = std::shared_ptr<const std::vector<Hop>>;

class Upstreams {
 public:
  virtual ~Upstreams() = default;
  // Empty: no data center can serve. `passed_edge`: the request came from another data center.
  virtual Route RouteFor(bool passed_edge) const = 0;
};

// The instances of the own data center, then the balancers of others by distance. An edge without a
// share of max_in_flight (dispatch/share.hpp) uses its own balancer in place of the instances.
class SiteUpstreams final : public Upstreams {
 public:
  SiteUpstreams(site::TierProcess& process, const Config& config);
  ~SiteUpstreams() override;

  Result<void> Connect();
  // Reports the state of the instances to the agent, until the process ends.
  io::Task<void> ReportInstances();
  // To be called when no request is in flight.
  void CloseInstances();
  Route RouteFor(bool passed_edge) const override {
    return passed_edge ? from_edges_ : from_visitors_;
  }
  // To be called when the view has changed.
  void OnView();
  // Checks the health of the own balancer, where the edge uses it, until the process ends.
  io::Task<void> WatchOwnBalancer();

 private:
  Route RouteOf(const std::vector<std::string>& names) const;

  site::TierProcess& process_;
  const Config& config_;
  std::unique_ptr<dispatch::TierDispatcher> instances_;             // null without a share
  std::unique_ptr<dispatch::Dispatcher> dispatcher_;                // of `instances_`
  std::map<std::string, std::unique_ptr<http::Client>> balancers_;  // by data center
  bool own_balancer_answers_ = true;
  Route from_visitors_ = std::make_shared<std::vector<Hop>>();
  Route from_edges_ = from_visitors_;
};

// The origin of an edge without a site.
class OriginUpstream final : public Upstreams {
 public:
  OriginUpstream(io::Loop& loop, io::Network& network, const Config& config,
                 http::Upstream upstream);
  Route RouteFor(bool /*passed_edge*/) const override { return route_; }

 private:
  http::Client client_;
  Route route_;
};

}  // namespace meridian::edge
