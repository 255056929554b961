#include "agent/peers/peer_poller.hpp"

#include <functional>
#include <memory>
#include <utility>

#include "agent/context.hpp"
#include "agent/limits.hpp"
#include "agent/peers/peers.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "http/client/client.hpp"
#include "http/client/fetch.hpp"
#include "io/net/tls.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/limits.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"
#include "site/trust/ca.hpp"
#include "site/view/view.hpp"

namespace meridian::agent {

http::Upstream PeerUpstream(const Context& context, const site::DataCenter& dc,
                            std::shared_ptr<io::TlsContext> tls) {
  IpAddress at =
      site::AddressOf(context.site, {.from = context.here, .to = dc, .hosting = context.hosting});
  return {.address = {at, context.site.ports.admin},
          .tls = std::move(tls),
          .tls_name = site::PeerName(dc.name, context.site),
          .from = site::PeerAddress(context.here)};
}

PeerPoller::PeerPoller(const Context& context, const std::shared_ptr<io::TlsContext>& tls,
                       Peers& peers, std::function<void()> changed)
    : context_(context), peers_(peers), changed_(std::move(changed)) {
  for (const site::DataCenter& dc : context.site.datacenters) {
    if (dc.name == context.here.name) continue;
    polled_.push_back({dc.name, std::make_unique<http::Client>(context.loop, context.network,
                                                               PeerUpstream(context, dc, tls))});
  }
}

io::Task<void> PeerPoller::Run() {
  io::Scope scope(context_.loop);
  for (Peer& peer : polled_) scope.Spawn(Poll(peer));
  co_await scope.Join();
}

io::Task<Result<void>> PeerPoller::Ask(Peer& peer) {
  http::Request request{.path = "/.meridian/view", .host = peer.client->upstream().tls_name};
  bool connected = peer.client->idle_connections() > 0;
  TimePoint deadline = context_.loop.After(connected ? kPeerTimeout : kPeerConnectTimeout);
  auto answer = co_await http::Fetch(*peer.client, request, site::kMaxViewBytes, deadline);
  if (!answer) co_return Fail(std::move(answer.error()));
  if (answer->status != 200) {
    co_return Fail(Errc::kInvalid, "it answered with status {}", answer->status);
  }
  Result<site::SiteView> view = site::FromJson(answer->body);
  if (!view) co_return Fail(std::move(view.error()));
  peers_.OnAnswer(peer.name, *view);
  co_return Result<void>{};
}

io::Task<void> PeerPoller::Poll(Peer& peer) {
  for (;;) {
    TimePoint asked_at = context_.loop.Now();
    Result<void> asked = co_await Ask(peer);
    if (!asked && asked.error().code == Errc::kCancelled) co_return;
    if (!asked) peers_.OnMiss(peer.name, asked.error().message);
    if (asked.has_value() != peer.heard) {
      peer.heard = asked.has_value();
      if (peer.heard) {
        LOG_INFO("the peer's agent answers", {"peer", peer.name});
      } else {
        LOG_WARNING("the peer's agent does not answer", {"peer", peer.name},
                    {"problem", asked.error().message});
      }
    }
    changed_();
    Duration interval = peers_.starting(peer.name) ? kStartingPeerInterval : kPeerInterval;
    if (!co_await io::SleepUntil(asked_at + interval)) co_return;
  }
}

}  // namespace meridian::agent
