#include "agent/admin/admin_server.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/admin/admin_cdn.hpp"
#include "agent/admin/admin_metrics.hpp"
#include "agent/admin/admin_purges.hpp"
#include "agent/agent.hpp"
#include "agent/children/tier_table.hpp"
#include "agent/context.hpp"
#include "agent/host/host_metrics.hpp"
#include "agent/limits.hpp"
#include "agent/purges/purges.hpp"
#include "agent/report/port_problem.hpp"
#include "agent/report/status.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/result.hpp"
#include "http/client/client.hpp"
#include "http/client/fetch.hpp"
#include "http/exchange.hpp"
#include "http/server/server.hpp"
#include "io/fiber.hpp"
#include "io/net/accept_loop.hpp"
#include "io/net/stream.hpp"
#include "io/net/tls.hpp"
#include "io/task.hpp"
#include "site/reach.hpp"
#include "site/secret.hpp"
#include "site/tier/metrics_answer.hpp"
#include "site/trust/bearer.hpp"
#include "site/trust/ca.hpp"
#include "site/view/cdn_report.hpp"
#include "site/view/view.hpp"
#include "wire/http/message.hpp"

namespace meridian::agent {
namespace {

constexpr std::string_view kLogsPath = "/.meridian/logs";
constexpr std::string_view kViewPath = "/.meridian/view";
constexpr std::string_view kTierPath = "/.meridian/tier";         // and "/session/…"
constexpr std::string_view kRestartPath = "/.meridian/restart/";  // and an instance's id

http::ServerOptions Options() {
  http::ServerOptions options;
  options.limits.max_connections = kMaxAdminConnections;
  options.limits.max_body_bytes = kMaxAdminBody;
  return options;
}

io::Task<void> RespondJson(http::Exchange& exchange, std::string json) {
  wire::http::HeaderFields fields;
  fields.Add("Content-Type", "application/json");
  (void)co_await exchange.Respond({.fields = fields}, AsBytes(json));
}

// Does not wait for the body, so that a client without the token cannot occupy a connection with an
// incomplete request.
io::Task<void> Refuse(http::Exchange& exchange) {
  (void)co_await exchange.Respond(
      {.status = 401, .fields = {{"Content-Type", "text/plain; charset=utf-8"}}, .close = true},
      AsBytes("show the token of the state directory\n"));
}

// Paths that other data centers may request too.
bool IsForPeers(const wire::http::RequestHead& request) {
  if (request.method == "GET") return request.path == kViewPath;
  return request.method == "POST" && (request.path == kPurgePath || request.path == kPurgesPath);
}

}  // namespace

AdminServer::AdminServer(const Context& context, Agent& agent, Purges& purges, HostMetrics& host,
                         site::Secret token, std::shared_ptr<io::TlsContext> tls)
    : context_(context),
      agent_(agent),
      purges_(purges),
      logs_(context),
      host_(host),
      token_(std::move(token)),
      tls_(std::move(tls)),
      server_here_(context.loop, Options(),
                   [this](http::Exchange& exchange) { return Handle(exchange, false); }),
      server_elsewhere_(context.loop, Options(),
                        [this](http::Exchange& exchange) { return Handle(exchange, false); }),
      peer_server_(context.loop, Options(),
                   [this](http::Exchange& exchange) { return Handle(exchange, true); }),
      scope_(context.loop) {}

Result<void> AdminServer::Start() {
  Endpoint at{site::PeerAddress(context_.here), context_.site.ports.admin};
  auto listener = context_.network.Listen(at, {});
  if (!listener) {
    return Fail(
        PortProblem({.at = at, .owner = "the agent", .table = "[admin]"}, listener.error()));
  }
  listener_ = std::move(*listener);
  scope_.Spawn(Accept());
  return {};
}

io::Task<void> AdminServer::Stop() {
  scope_.Cancel();
  co_await scope_.Join();
  TimePoint deadline = context_.loop.After(kAdminDrainTimeout);
  co_await server_here_.Drain(deadline);
  co_await server_elsewhere_.Drain(deadline);
  co_await peer_server_.Drain(deadline);
}

io::Task<void> AdminServer::Accept() {
  io::AcceptLoop accept(
      *listener_,
      {.name = "admin port",
       .admit = [this](std::unique_ptr<io::Stream> stream) { Take(std::move(stream)); },
       .make_room =
           [this] { return EvictSilent(silent_elsewhere_) || EvictSilent(silent_here_); }});
  co_await accept.Run();
}

// Connections from this host to one of its own addresses have that address as their source.
bool AdminServer::IsOfThisHost(const Endpoint& peer) const {
  IpAddress address = peer.address.Unmapped();
  return address.is_loopback() || address == context_.here.address ||
         address == context_.here.private_address;
}

bool AdminServer::EvictSilent(Silent& silent) {
  if (silent.empty()) return false;
  silent.front()->Cancel();
  silent.pop_front();
  return true;
}

void AdminServer::Take(std::unique_ptr<io::Stream> stream) {
  Silent& silent = IsOfThisHost(stream->peer()) ? silent_here_ : silent_elsewhere_;
  if (silent.size() >= kMaxAdminConnections) EvictSilent(silent);
  scope_.Spawn(Admit(std::move(stream), silent));
}

io::Task<void> AdminServer::Admit(std::unique_ptr<io::Stream> stream, Silent& silent) {
  io::Fiber* fiber = &co_await io::ThisFiber{};
  silent.push_back(fiber);
  co_await Greet(std::move(stream));
  std::erase(silent, fiber);  // unless it was evicted
}

io::Task<void> AdminServer::Greet(std::unique_ptr<io::Stream> stream) {
  TimePoint deadline = context_.loop.After(kAdminHandshakeTimeout);
  Result<bool> tls = co_await io::BeginsTls(*stream, deadline);
  if (!tls) co_return;
  if (!*tls) {
    if (stream->peer().address.is_loopback()) server_here_.ServeStream(std::move(stream));
    co_return;
  }
  Endpoint peer = stream->peer();
  auto secured = co_await io::TlsAccept(tls_, std::move(stream), deadline);
  if (secured) {
    // A client without a data center's certificate needs the token.
    bool is_peer = IsPeer((*secured)->peer_names());
    refusals_.OnAdmitted(peer.address);
    http::Server& others = IsOfThisHost(peer) ? server_here_ : server_elsewhere_;
    (is_peer ? peer_server_ : others).ServeStream(std::move(*secured));
  } else if (secured.error().code == Errc::kInvalid &&
             refusals_.OnRefused(peer.address, secured.error().message)) {
    LOG_WARNING("refused at the admin port", {"peer", peer.ToString()},
                {"problem", secured.error().message});
  }
}

bool AdminServer::IsPeer(const std::vector<std::string>& names) const {
  return std::ranges::any_of(context_.site.datacenters, [&](const site::DataCenter& dc) {
    return std::ranges::find(names, site::PeerName(dc.name, context_.site)) != names.end();
  });
}

bool AdminServer::HasToken(const http::Exchange& exchange) const {
  return site::ShowsSecret(exchange.request().fields, token_);
}

io::Task<void> AdminServer::Handle(http::Exchange& exchange, bool is_peer) {
  bool for_peers = IsForPeers(exchange.request());
  if (!HasToken(exchange) && !(is_peer && for_peers)) {
    co_return co_await Refuse(exchange);
  }
  co_await (for_peers ? HandlePeer(exchange) : HandleOperator(exchange));
}

io::Task<void> AdminServer::HandlePeer(http::Exchange& exchange) {
  const wire::http::RequestHead& request = exchange.request();
  if (request.path == kPurgePath) co_return co_await ServePurge(purges_, exchange);
  if (request.path == kPurgesPath) co_return co_await ServePurgePoll(purges_, exchange);
  Result<std::string> json = site::ToJson(agent_.view());
  if (json) co_return co_await RespondJson(exchange, std::move(*json));
  (void)co_await http::RespondText(exchange, 500, json.error().message + "\n");
}

io::Task<void> AdminServer::HandleOperator(http::Exchange& exchange) {
  const wire::http::RequestHead& request = exchange.request();
  if (request.method == "GET" && request.path == "/.meridian/status") {
    co_await RespondJson(exchange, EncodeStatus(agent_.Status()));
  } else if (request.method == "GET" && request.path == site::kCdnReportPath) {
    co_await ServeCdnReport(context_, exchange);
  } else if (request.method == "POST" && request.path == kLogsPath) {
    co_await logs_.Serve(exchange);
  } else if (request.method == "GET" && request.path == "/metrics") {
    co_await AnswerMetrics(exchange);
  } else if (request.method == "GET" && request.path.starts_with(kTierMetricsPath)) {
    co_await ServeTierMetrics(context_, exchange);
  } else if (request.method == "POST" && request.path == "/.meridian/drain") {
    bool done = agent_.Drain();
    (void)co_await http::RespondText(exchange, done ? 200 : 409,
                                     done ? "draining\n" : "it does not serve yet\n");
  } else if (request.method == "POST" && request.path == "/.meridian/undrain") {
    bool done = agent_.Undrain();
    (void)co_await http::RespondText(exchange, done ? 200 : 409,
                                     done ? "serving\n" : "it does not serve yet\n");
  } else if (request.method == "POST" && request.path.starts_with(kRestartPath)) {
    co_await RestartInstance(exchange);
  } else if (request.path.starts_with(kTierPath) &&
             (request.method == "GET" || request.method == "POST")) {
    co_await AskTier(exchange);
  } else {
    (void)co_await http::RespondText(exchange, 404, "no such request\n");
  }
}

io::Task<void> AdminServer::AnswerMetrics(http::Exchange& exchange) {
  const std::vector<MetricFamilyReading> host = co_await host_.Read();
  std::vector<MetricFamilyReading> families = agent_.metrics().Read();
  families.insert(families.end(), host.begin(), host.end());
  co_await site::AnswerMetrics(exchange, families);
}

io::Task<void> AdminServer::RestartInstance(http::Exchange& exchange) {
  std::string_view id = exchange.request().path.substr(kRestartPath.size());
  Result<void> begun = agent_.RestartInstance(id);
  if (begun) {
    (void)co_await http::RespondText(exchange, 200, "leaving\n");
  } else {
    int status = begun.error().code == Errc::kNotFound ? 404 : 409;
    (void)co_await http::RespondText(exchange, status, begun.error().message + "\n");
  }
}

// Tiers answer operators on loopback only; the admin port forwards requests of operators elsewhere.
io::Task<void> AdminServer::AskTier(http::Exchange& exchange) {
  const wire::http::RequestHead& asked = exchange.request();
  std::string_view path = asked.path.substr(kTierPath.size());
  auto tiers = TierTable(context_.site, context_.here, context_.hosting);
  auto tier = std::ranges::find_if(
      tiers, [&](const TierEntry& each) { return path.starts_with("/" + each.name + "/"); });
  if (tier == tiers.end()) {
    (void)co_await http::RespondText(exchange, 404, "there is no such tier here\n");
    co_return;
  }
  auto ops = std::ranges::find(tier->sockets, "ops", &TierSocket::name);
  http::Client client(context_.loop, context_.network, {.address = ops->at});
  const bool order = asked.method == "POST";
  wire::http::HeaderFields fields;
  if (order) fields.Add("Meridian-Order", path.substr(path.rfind('/') + 1));
  auto answer = co_await http::Fetch(
      client,
      {.method = asked.method,
       .path = path,
       .query = asked.query,
       .host = tier->name,
       .fields = fields},
      kMaxTierAnswer, context_.loop.After(order ? kTierOrderTimeout : kTierAnswerTimeout));
  if (!answer) {
    (void)co_await http::RespondText(exchange, 503, answer.error().message + "\n");
  } else if (answer->status == 200) {
    co_await RespondJson(exchange, std::move(answer->body));
  } else {
    (void)co_await http::RespondText(exchange, answer->status, answer->body);
  }
}

}  // namespace meridian::agent
