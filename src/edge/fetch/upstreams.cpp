#include "edge/fetch/upstreams.hpp"

#include <algorithm>
#include <cstdint>
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

namespace meridian::edge {
namespace {

http::ClientLimits LimitsOf(const Config& config) {
  http::ClientLimits limits;
  limits.max_connections = limits.max_idle = kMaxUpstreamConnections;
  limits.max_waiting = kMaxWaitingRequests;
  limits.wait_timeout = kWaitTimeout;
  limits.connect_timeout = kConnectTimeout;
  limits.head_timeout = config.response_timeout;
  limits.head.max_fields += kMaxBalancerFields;
  limits.head.max_head_bytes += kMaxBalancerHeadBytes;
  return limits;
}

// Null when this edge has no share of an instance's max_in_flight.
std::unique_ptr<dispatch::TierDispatcher> MakeDispatcher(site::TierProcess& process,
                                                         const Config& edge) {
  auto config = process.site().sections.Get<dispatch::Config>();
  config.response_timeout = std::min(config.response_timeout, edge.response_timeout);
  config.max_in_flight = dispatch::DivideInFlight(config.max_in_flight).edge;
  if (process.here().edge_only || config.max_in_flight == 0) return nullptr;
  return std::make_unique<dispatch::TierDispatcher>(process, "edge", config);
}

}  // namespace

SiteUpstreams::SiteUpstreams(site::TierProcess& process, const Config& config)
    : process_(process),
      config_(config),
      instances_(MakeDispatcher(process, config)),
      dispatcher_(instances_ ? instances_->MakeDispatcher(process.OnLoop(0)) : nullptr) {}

SiteUpstreams::~SiteUpstreams() = default;

io::Task<void> SiteUpstreams::ReportInstances() {
  if (instances_) co_await instances_->Report();
}

void SiteUpstreams::CloseInstances() {
  if (instances_) instances_->Close();
}

Result<void> SiteUpstreams::Connect() {
  auto tls = io::TlsContext::ForClient(process_.PeerTls());
  if (!tls) return Fail(std::move(tls.error()));
  uint16_t port = process_.site().ports.balancer;
  for (const site::DataCenter& dc : process_.site().datacenters) {
    if (dc.edge_only) continue;
    bool own = dc.name == process_.here().name;
    if (own && instances_) continue;
    Endpoint at = own ? Endpoint{process_.HostAddress(), port}
                      : Endpoint{process_.AddressOf(dc), site::PeerPort(port)};
    http::Upstream upstream{.address = at,
                            .tls = own ? nullptr : *tls,
                            .tls_name = own ? "" : site::PeerName(dc.name, process_.site()),
                            .from = own ? at.address : site::PeerAddress(process_.here())};
    balancers_[dc.name] = std::make_unique<http::Client>(process_.loop(), process_.network(),
                                                         std::move(upstream), LimitsOf(config_));
  }
  OnView();
  return {};
}

Route SiteUpstreams::RouteOf(const std::vector<std::string>& names) const {
  auto hops = std::make_shared<std::vector<Hop>>();
  const std::vector<site::DataCenter>& known = process_.site().datacenters;
  for (const std::string& name : names) {
    const auto place = static_cast<uint16_t>(
        std::ranges::find(known, name, &site::DataCenter::name) - known.begin());
    if (name == process_.here().name && instances_) {
      hops->push_back({.name = name, .dispatcher = dispatcher_.get(), .datacenter = place});
      continue;
    }
    auto found = balancers_.find(name);
    if (found == balancers_.end()) continue;
    hops->push_back({.name = name,
                     .client = found->second.get(),
                     .crosses = name != process_.here().name,
                     .datacenter = place});
  }
  return hops;
}

void SiteUpstreams::OnView() {
  if (instances_) instances_->OnView();
  Routes routes = MakeRoutes(*process_.view(), process_.here().name, own_balancer_answers_);
  from_visitors_ = RouteOf(routes.from_visitors);
  from_edges_ = RouteOf(routes.from_edges);
}

io::Task<void> SiteUpstreams::WatchOwnBalancer() {
  if (instances_ || process_.here().edge_only) co_return;
  const http::Upstream& upstream = balancers_.at(process_.here().name)->upstream();
  http::Client client(process_.loop(), process_.network(), upstream);
  int misses = 0;
  while (co_await io::Sleep(kBalancerCheckInterval)) {
    http::Request request{.path = site::kReadyPath, .host = process_.site().domain};
    auto answer = co_await http::Fetch(client, request, kMaxCheckBody,
                                       process_.loop().After(kBalancerCheckTimeout));
    misses = answer && answer->status == 200 ? 0 : misses + 1;
    bool answers = misses < kBalancerMisses;
    if (answers == own_balancer_answers_) continue;
    LOG_WARNING("the balancer beside this edge", {"answers", answers});
    own_balancer_answers_ = answers;
    OnView();
  }
}

OriginUpstream::OriginUpstream(io::Loop& loop, io::Network& network, const Config& config,
                               http::Upstream upstream)
    : client_(loop, network, std::move(upstream), LimitsOf(config)),
      route_(std::make_shared<std::vector<Hop>>(
          std::vector<Hop>{{.name = "origin", .client = &client_, .crosses = false}})) {}

}  // namespace meridian::edge
