// Upstreams: where requests go from the edge, in the order in which they are tried. The seam
// between an edge that belongs to a site (balancers, by the view) and one that stands alone in
// front of an origin. One thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "edge/config.hpp"
#include "edge/routes.hpp"
#include "http/client.hpp"
#include "io/task.hpp"
#include "site/tier_process.hpp"

namespace meridian::edge {

struct Hop {
  std::string name;
  http::Client* client = nullptr;
  bool crosses = false;  // to another data center
};
// Immutable: a request keeps the one that it began with.
using Route = std::shared_ptr<const std::vector<Hop>>;

class Upstreams {
 public:
  virtual ~Upstreams() = default;
  // Empty: nobody can serve. `passed_edge`: the request has crossed from another data center.
  virtual Route RouteFor(bool passed_edge) const = 0;
};

// The balancers of a site: the own one, then those of other data centers by distance.
class SiteUpstreams final : public Upstreams {
 public:
  SiteUpstreams(site::TierProcess& process, const Config& config)
      : process_(process), config_(config) {}

  Result<void> Connect();
  Route RouteFor(bool passed_edge) const override {
    return passed_edge ? from_edges_ : from_visitors_;
  }
  // To be called when the view has changed.
  void OnView();
  // Watches the balancer beside this edge, for as long as the process lives.
  io::Task<void> WatchOwnBalancer();

 private:
  Route RouteOf(const std::vector<std::string>& names) const;

  site::TierProcess& process_;
  const Config& config_;
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
