// Upstreams: where requests go from the edge, in the order in which they are tried. The seam
// between an edge that belongs to a site (its own instances, and the balancers of other data
// centers, by the view) and one that stands alone in front of an origin. One thread.
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

// One of both: who has instances of the application, or a server that is asked.
struct Hop {
  std::string name;
  dispatch::Dispatcher* dispatcher = nullptr;
  http::Client* client = nullptr;
  bool crosses = false;     // to another data center
  uint16_t datacenter = 0;  // where it is: its place in the site's list
};
// Immutable: a request keeps the one that it began with.
using Route = std::shared_ptr<const std::vector<Hop>>;

class Upstreams {
 public:
  virtual ~Upstreams() = default;
  // Empty: nobody can serve. `passed_edge`: the request has crossed from another data center.
  virtual Route RouteFor(bool passed_edge) const = 0;
};

// The instances of the own data center, then the balancers of others by distance. Where the edge
// has no share of max_in_flight (dispatch/share.hpp), the own balancer is in the instances' place.
class SiteUpstreams final : public Upstreams {
 public:
  SiteUpstreams(site::TierProcess& process, const Config& config);
  ~SiteUpstreams() override;

  Result<void> Connect();
  // Tells the agent how the instances are used, for as long as the process lives.
  io::Task<void> ReportInstances();
  // Once no request is left.
  void CloseInstances();
  Route RouteFor(bool passed_edge) const override {
    return passed_edge ? from_edges_ : from_visitors_;
  }
  // To be called when the view has changed.
  void OnView();
  // Watches the balancer beside this edge, where that is used, for as long as the process lives.
  io::Task<void> WatchOwnBalancer();

 private:
  Route RouteOf(const std::vector<std::string>& names) const;

  site::TierProcess& process_;
  const Config& config_;
  std::unique_ptr<dispatch::TierDispatcher> instances_;             // null without a share
  std::map<std::string, std::unique_ptr<http::Client>> balancers_;  // by data center
  bool own_balancer_answers_ = true;
  Route from_visitors_ = std::make_shared<std::vector<Hop>>();
  Route from_edges_ = from_visitors_;
};

// One origin, whatever it is.
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
