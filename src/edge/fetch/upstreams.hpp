// Upstreams: the servers that the edge forwards requests to, in the order in which they are tried.
// For an edge of a site they are its own instances and the balancers of other data centers, by the
// view; for an edge without a site, its one origin. Each loop has its own; one thread, the loop's.
#pragma once

#include <cstddef>
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
#include "site/site.hpp"
#include "site/tier/tier_loop.hpp"
#include "site/tier/tier_process.hpp"
#include "site/view/view.hpp"

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

// The servers of other data centers, and the own balancer where the edge uses it, by data center.
using Balancers = std::map<std::string, http::Upstream>;
// With a TLS context for one loop. `uses_instances`: the edge sends to its own instances itself.
Result<Balancers> BalancersOf(const site::TierProcess& process, bool uses_instances);

// The roster of the own instances for all loops; null when this edge has no share of an instance's
// max_in_flight.
std::unique_ptr<dispatch::TierDispatcher> MakeRoster(site::TierProcess& process,
                                                     const Config& config);

// Asks the own balancer each second whether it answers, and calls `on_change` when that changes,
// until it is cancelled. On the process's main loop.
io::Task<void> WatchOwnBalancer(site::TierProcess& process, http::Upstream balancer,
                                std::function<void(bool answers)> on_change);

// The instances of the own data center, then the balancers of others by distance. An edge without a
// share of max_in_flight (dispatch/share.hpp) uses its own balancer in place of the instances. Each
// loop has one, with connections of its own.
class SiteUpstreams final : public Upstreams {
 public:
  struct Options {
    const site::TierLoop& on;
    const site::Site& site;
    std::string here;  // the own data center
    const Config& config;
    size_t loops;  // of the process, which share the limits of connections
    std::unique_ptr<dispatch::Dispatcher> dispatcher;  // null without a share
    Balancers balancers;
  };
  explicit SiteUpstreams(Options options);
  ~SiteUpstreams() override;

  Route RouteFor(bool passed_edge) const override {
    return passed_edge ? from_edges_ : from_visitors_;
  }
  // To be called when the view or the answers of the own balancer have changed.
  void OnView(const site::SiteView& view, bool own_balancer_answers);

 private:
  Route RouteOf(const std::vector<std::string>& names) const;

  const site::Site& site_;
  const std::string here_;
  std::unique_ptr<dispatch::Dispatcher> dispatcher_;
  std::map<std::string, std::unique_ptr<http::Client>> balancers_;  // by data center
  Route from_visitors_ = std::make_shared<std::vector<Hop>>();
  Route from_edges_ = from_visitors_;
};

// The origin of an edge without a site.
class OriginUpstream final : public Upstreams {
 public:
  OriginUpstream(io::Loop& loop, io::Network& network, const Config& config,
                 http::Upstream upstream, size_t loops);
  Route RouteFor(bool /*passed_edge*/) const override { return route_; }

 private:
  http::Client client_;
  Route route_;
};

}  // namespace meridian::edge
