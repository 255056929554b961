#include "site/tier/peer_listener.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/result.hpp"
#include "io/net/accept_loop.hpp"
#include "io/net/stream.hpp"
#include "io/net/tls.hpp"
#include "io/task.hpp"
#include "site/limits.hpp"
#include "site/ports.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"
#include "site/tier/tier_process.hpp"
#include "site/trust/ca.hpp"

namespace meridian::site {
namespace {

// The parameters of a connection to a data center.
struct DialTarget {
  TierProcess& process;
  std::shared_ptr<io::TlsContext> tls;
  Endpoint to;
  std::string tls_name;
};

io::Task<Result<std::unique_ptr<io::Stream>>> DialPeer(DialTarget target, TimePoint deadline) {
  auto stream = co_await target.process.network().Connect(
      target.to, {.from = PeerAddress(target.process.here()), .deadline = deadline});
  if (!stream) co_return Fail(std::move(stream.error()));
  auto secured = co_await io::TlsConnect(target.tls, std::move(*stream), target.tls_name, deadline);
  if (!secured) co_return Fail(std::move(secured.error()));
  co_return std::move(*secured);
}

Counter& AddClosedCounter(TierProcess& process, std::string reason) {
  return process.metrics().AddCounter(
      fmt::format("meridian_{}_peer_connections_closed_total", process.start().tier),
      "Connections to the peer port that were closed to keep a limit.",
      {{"reason", std::move(reason)}});
}

}  // namespace

PeerListener::PeerListener(TierProcess& process, uint16_t public_port)
    : process_(process),
      port_(PeerPort(public_port)),
      accepting_(process.loop()),
      connections_(process.loop()),
      evicted_(AddClosedCounter(process, "handshakes")),
      over_limit_(AddClosedCounter(process, "connections")) {}

Result<std::unique_ptr<PeerListener>> PeerListener::Open(TierProcess& process,
                                                         uint16_t public_port) {
  std::unique_ptr<PeerListener> port(new PeerListener(process, public_port));
  auto server = io::TlsContext::ForServer(process.PeerTls());
  if (!server) return Fail(std::move(server.error()));
  auto client = io::TlsContext::ForClient(process.PeerTls());
  if (!client) return Fail(std::move(client.error()));
  Endpoint at{PeerAddress(process.here()), port->port_};
  auto listener = process.Listen("peer", at);
  if (!listener) return Fail(std::move(listener.error()));
  port->server_tls_ = std::move(*server);
  port->client_tls_ = std::move(*client);
  port->listener_ = std::move(*listener);
  return port;
}

void PeerListener::Start(Serve serve) {
  serve_ = std::move(serve);
  accepting_.Spawn(Accept());
}

io::Task<void> PeerListener::Close() {
  listener_->Close();
  accepting_.Cancel();
  connections_.Cancel();
  co_await accepting_.Join();
  co_await connections_.Join();
}

io::Task<void> PeerListener::Accept() {
  io::AcceptLoop accept(
      *listener_,
      {.name = process_.start().tier + " peer port",
       .admit = [this](std::unique_ptr<io::Stream> stream) { Admit(std::move(stream)); },
       .make_room = [this] { return EvictHandshake(); }});
  co_await accept.Run();
}

void PeerListener::Admit(std::unique_ptr<io::Stream> stream) {
  // Those whose fiber has not begun yet are counted too.
  size_t unserved = connections_.size() - served_;
  if (unserved >= kMaxPeerHandshakes && !EvictHandshake()) return;
  connections_.Spawn(Secure(std::move(stream)));
}

bool PeerListener::EvictHandshake() {
  if (!handshakes_.EvictOldest()) return false;
  evicted_.Add();
  std::string problem = "too many connections in their handshake; the oldest are closed";
  if (crowded_.OnProblem(problem, process_.loop().Now())) {
    LOG_WARNING("the peer port is crowded", {"problem", problem}, {"limit", kMaxPeerHandshakes});
  }
  return true;
}

io::Task<void> PeerListener::Secure(std::unique_ptr<io::Stream> stream) {
  std::string peer = stream->peer().ToString();
  auto secured = co_await handshakes_.Accept(server_tls_, std::move(stream),
                                             process_.loop().After(kPeerHandshakeTimeout));
  if (!secured) {
    if (secured.error().code == Errc::kInvalid &&
        refused_.OnProblem(secured.error().message, process_.loop().Now())) {
      LOG_WARNING("refused at the peer port", {"peer", peer}, {"problem", secured.error().message});
    }
    co_return;
  }
  if (served_ < kMaxPeerConnections) co_return co_await ServePeer(std::move(*secured));
  over_limit_.Add();
  std::string problem = "too many connections of data centers; further ones are closed";
  if (crowded_.OnProblem(problem, process_.loop().Now())) {
    LOG_WARNING("the peer port is crowded", {"problem", problem}, {"limit", kMaxPeerConnections},
                {"peer", peer});
  }
}

io::Task<void> PeerListener::ServePeer(std::unique_ptr<io::TlsConnection> connection) {
  ++served_;
  std::vector<std::string> names = connection->peer_names();
  const Site& site = process_.site();
  co_await serve_(std::move(connection), [names, &site](std::string_view data_center) {
    return std::ranges::find(names, PeerName(data_center, site)) != names.end();
  });
  --served_;
}

PeerListener::Dial PeerListener::DialOf(const std::string& data_center) {
  const DataCenter& other = *process_.site().FindDataCenter(data_center);
  DialTarget target{.process = process_,
                    .tls = client_tls_,
                    .to = {process_.AddressOf(other), port_},
                    .tls_name = PeerName(data_center, process_.site())};
  return [target](TimePoint deadline) { return DialPeer(target, deadline); };
}

}  // namespace meridian::site
