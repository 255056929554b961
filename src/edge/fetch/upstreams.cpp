#include "edge/fetch/upstreams.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/ip.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "dispatch/config.hpp"
#include "dispatch/share.hpp"
#include "dispatch/tier_dispatcher.hpp"
#include "edge/config.hpp"
#include "edge/fetch/routes.hpp"
#include "edge/limits.hpp"
#include "http/client/client.hpp"
#include "http/client/fetch.hpp"
#include "http/limits.hpp"
#include "io/loop.hpp"
#include "io/net/network.hpp"
#include "io/net/tls.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/ports.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"
#include "site/tier/internal_fields.hpp"
#include "site/tier/tier_process.hpp"
#include "site/trust/ca.hpp"
#include "site/view/view.hpp"

namespace meridian::edge {
namespace {

// The share of one of `loops` loops.
http::ClientLimits LimitsOf(const Config& config, size_t loops) {
  http::ClientLimits limits;
  limits.max_connections = limits.max_idle = std::max<size_t>(kMaxUpstreamConnections / loops, 1);
  limits.max_waiting = std::max<size_t>(kMaxWaitingRequests / loops, 1);
  limits.wait_timeout = kWaitTimeout;
  limits.connect_timeout = kConnectTimeout;
  limits.head_timeout = config.response_timeout;
  limits.head.max_fields += kMaxBalancerFields;
  limits.head.max_head_bytes += kMaxBalancerHeadBytes;
  return limits;
}

}  // namespace

std::unique_ptr<dispatch::TierDispatcher> MakeRoster(site::TierProcess& process,
                                                     const Config& edge) {
  auto config = process.site().sections.Get<dispatch::Config>();
  config.response_timeout = std::min(config.response_timeout, edge.response_timeout);
  config.max_in_flight = dispatch::DivideInFlight(config.max_in_flight).edge;
  if (process.here().edge_only || config.max_in_flight == 0) return nullptr;
  return std::make_unique<dispatch::TierDispatcher>(process, "edge", config);
}

Result<Balancers> BalancersOf(const site::TierProcess& process, bool uses_instances) {
  auto tls = io::TlsContext::ForClient(process.PeerTls());
  if (!tls) return Fail(std::move(tls.error()));
  Balancers balancers;
  uint16_t port = process.site().ports.balancer;
  for (const site::DataCenter& dc : process.site().datacenters) {
    if (dc.edge_only) continue;
    bool own = dc.name == process.here().name;
    if (own && uses_instances) continue;
    Endpoint at = own ? Endpoint{process.HostAddress(), port}
                      : Endpoint{process.AddressOf(dc), site::PeerPort(port)};
    balancers[dc.name] = {.address = at,
                          .tls = own ? nullptr : *tls,
                          .tls_name = own ? "" : site::PeerName(dc.name, process.site()),
                          .from = own ? at.address : site::PeerAddress(process.here())};
  }
  return balancers;
}

io::Task<void> WatchOwnBalancer(site::TierProcess& process, http::Upstream balancer,
                                std::function<void(bool answers)> on_change) {
  http::Client client(process.loop(), process.network(), std::move(balancer));
  bool told = true;
  int misses = 0;
  while (co_await io::Sleep(kBalancerCheckInterval)) {
    http::Request request{.path = site::kReadyPath, .host = process.site().domain};
    auto answer = co_await http::Fetch(client, request, kMaxCheckBody,
                                       process.loop().After(kBalancerCheckTimeout));
    misses = answer && answer->status == 200 ? 0 : misses + 1;
    bool answers = misses < kBalancerMisses;
    if (answers == told) continue;
    LOG_WARNING("the balancer beside this edge", {"answers", answers});
    told = answers;
    on_change(answers);
  }
}

SiteUpstreams::SiteUpstreams(Options options)
    : site_(options.site),
      here_(std::move(options.here)),
      dispatcher_(std::move(options.dispatcher)) {
  for (auto& [name, upstream] : options.balancers) {
    balancers_[name] =
        std::make_unique<http::Client>(options.on.loop, options.on.network, std::move(upstream),
                                       LimitsOf(options.config, options.loops));
  }
}

SiteUpstreams::~SiteUpstreams() = default;

Route SiteUpstreams::RouteOf(const std::vector<std::string>& names) const {
  auto hops = std::make_shared<std::vector<Hop>>();
  const std::vector<site::DataCenter>& known = site_.datacenters;
  for (const std::string& name : names) {
    const auto place = static_cast<uint16_t>(
        std::ranges::find(known, name, &site::DataCenter::name) - known.begin());
    if (name == here_ && dispatcher_) {
      hops->push_back({.name = name, .dispatcher = dispatcher_.get(), .datacenter = place});
      continue;
    }
    auto found = balancers_.find(name);
    if (found == balancers_.end()) continue;
    hops->push_back({.name = name,
                     .client = found->second.get(),
                     .crosses = name != here_,
                     .datacenter = place});
  }
  return hops;
}

void SiteUpstreams::OnView(const site::SiteView& view, bool own_balancer_answers) {
  Routes routes = MakeRoutes(view, here_, own_balancer_answers);
  from_visitors_ = RouteOf(routes.from_visitors);
  from_edges_ = RouteOf(routes.from_edges);
}

OriginUpstream::OriginUpstream(io::Loop& loop, io::Network& network, const Config& config,
                               http::Upstream upstream, size_t loops)
    : client_(loop, network, std::move(upstream), LimitsOf(config, loops)),
      route_(std::make_shared<std::vector<Hop>>(
          std::vector<Hop>{{.name = "origin", .client = &client_, .crosses = false}})) {}

}  // namespace meridian::edge
