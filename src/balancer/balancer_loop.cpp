#include "balancer/balancer_loop.hpp"

#include <cstdint>
#include <memory>
#include <utility>

#include "balancer/handler.hpp"
#include "balancer/limits.hpp"
#include "base/clock.hpp"
#include "dispatch/dispatcher.hpp"
#include "http/exchange.hpp"
#include "http/limits.hpp"
#include "http/server/server.hpp"
#include "http/server/server_group.hpp"
#include "io/loop.hpp"
#include "io/net/tls.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "site/limits.hpp"
#include "site/tier/internal_fields.hpp"
#include "site/tier/tier_loop.hpp"
#include "wire/http/uri.hpp"

namespace meridian::balancer {
namespace {

http::ServerLimits Limits() {
  http::ServerLimits limits;
  limits.max_body_bytes = UINT64_MAX;  // limited by the edge
  limits.head.max_head_bytes += kMaxEdgeHeadBytes;
  limits.head.max_fields += kMaxEdgeFields;
  limits.body_timeout += kBodyGrace;
  return limits;
}

}  // namespace

BalancerLoop::BalancerLoop(const site::TierLoop& on,
                           std::unique_ptr<dispatch::Dispatcher> dispatcher, const Options& options,
                           Sockets sockets)
    : loop_(on.loop),
      server_metrics_(on.metrics, "meridian_balancer"),
      dispatcher_(std::move(dispatcher)),
      handler_(*dispatcher_, options.config, options.edge, on.metrics),
      group_(std::make_shared<http::ServerGroup>(on.loop, options.connections, "balancer")),
      server_(on.loop, ServerOptions(nullptr),
              [this](http::Exchange& exchange) { return Handle(exchange); }) {
  if (sockets.peer_tls) {
    peer_server_ = std::make_unique<http::Server>(
        on.loop, ServerOptions(std::move(sockets.peer_tls)),
        [this](http::Exchange& exchange) { return Handle(exchange); });
    for (auto& listener : sockets.peers) peer_server_->Serve(std::move(listener));
  }
  for (auto& listener : sockets.clients) server_.Serve(std::move(listener));
}

BalancerLoop::~BalancerLoop() = default;

http::ServerOptions BalancerLoop::ServerOptions(std::shared_ptr<io::TlsContext> tls) {
  return {.limits = Limits(), .tls = std::move(tls), .metrics = &server_metrics_, .group = group_};
}

io::Task<void> BalancerLoop::Drain(Duration grace) {
  io::Scope both(loop_);
  const TimePoint deadline = loop_.After(site::kDrainTimeout);
  both.Spawn(server_.Drain(deadline, grace));
  if (peer_server_) both.Spawn(peer_server_->Drain(deadline, grace));
  co_await both.Join();
}

io::Task<void> BalancerLoop::Handle(http::Exchange& exchange) {
  switch (wire::http::MatchPath(exchange.request().path, site::kReservedPath)) {
    case wire::http::PathMatch::kOutside:
      co_await handler_.Handle(exchange);
      co_return;
    case wire::http::PathMatch::kWithin:
      (void)co_await http::RespondText(
          exchange, exchange.request().path == site::kReadyPath ? 200 : 404, "\n");
      co_return;
    case wire::http::PathMatch::kDisguised:
      (void)co_await http::RespondText(exchange, 400, "the path has an ambiguous spelling\n");
      co_return;
  }
}

}  // namespace meridian::balancer
