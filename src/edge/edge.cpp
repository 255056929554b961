#include "edge/edge.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "edge/cache/cache_status.hpp"
#include "edge/cache/purge.hpp"
#include "edge/cache/storage/content_kind.hpp"
#include "edge/cache/storage/memory_store.hpp"
#include "edge/config.hpp"
#include "edge/costs/costs.hpp"
#include "edge/fetch/answer.hpp"
#include "edge/fetch/forwarded_fields.hpp"
#include "edge/fetch/loop_detection.hpp"
#include "edge/fetch/routes.hpp"
#include "edge/fetch/upstreams.hpp"
#include "edge/hosts/cdn_host.hpp"
#include "edge/hosts/fallback_script.hpp"
#include "edge/hosts/https_redirect.hpp"
#include "edge/hosts/versioned_path.hpp"
#include "edge/limits.hpp"
#include "edge/purge/purge_method.hpp"
#include "edge/purge/purge_puller.hpp"
#include "edge/visitors/access_log.hpp"
#include "edge/visitors/access_rule.hpp"
#include "edge/visitors/visitor_record.hpp"
#include "http/client/client.hpp"
#include "http/exchange.hpp"
#include "http/limits.hpp"
#include "http/server/connection_budget.hpp"
#include "http/server/server.hpp"
#include "http/server/server_group.hpp"
#include "io/descriptors.hpp"
#include "io/net/tls.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/limits.hpp"
#include "site/ports.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"
#include "site/tier/internal_fields.hpp"
#include "site/tier/tier_process.hpp"
#include "site/tier_description.hpp"
#include "site/view/cdn_report.hpp"
#include "site/view/purge.hpp"
#include "site/view/view.hpp"
#include "wire/http/message.hpp"
#include "wire/http/uri.hpp"

namespace meridian::edge {

using wire::http::HeaderFields;

namespace {

constexpr std::string_view kFallbackPath = "/.meridian/fallback.js";
constexpr std::string_view kVersionPath = "/.meridian/version";
// Of answers under /.meridian/, which are not looked up in the cache.
constexpr CacheStatus kReserved = {.detail = "reserved"};

PurgeOrder OrderOf(const site::PurgeOrder& order) {
  PurgeOrder of{.value = order.value, .soft = order.soft};
  switch (order.kind) {
    case site::PurgeKind::kUrl:
      of.kind = PurgeOrder::kUrl;
      break;
    case site::PurgeKind::kPrefix:
      of.kind = PurgeOrder::kPrefix;
      break;
    case site::PurgeKind::kTag:
      of.kind = PurgeOrder::kTag;
      break;
  }
  return of;
}

std::vector<std::string> NamesOf(const site::Site& site) {
  std::vector<std::string> names;
  for (const site::DataCenter& each : site.datacenters) names.push_back(each.name);
  return names;
}

}  // namespace

Edge::Edge(site::TierProcess& process, std::optional<http::Upstream> origin,
           const std::string& access_file)
    : process_(process),
      config_(process.site().sections.Get<Config>()),
      fallback_script_(FallbackScript(process.site(), process.here())),
      server_metrics_(process.metrics(), "meridian_edge"),
      data_centers_(NamesOf(process.site())),
      place_(static_cast<uint16_t>(std::ranges::find(data_centers_, process.here().name) -
                                   data_centers_.begin())),
      visitors_(process.metrics(), data_centers_, place_),
      random_(EntropySeed()),
      upstreams_(origin ? nullptr : std::make_unique<SiteUpstreams>(process, config_)),
      origin_(origin ? std::make_unique<OriginUpstream>(process.loop(), process.network(), config_,
                                                        std::move(*origin))
                     : nullptr),
      forwarder_(origin_ ? static_cast<Upstreams&>(*origin_) : *upstreams_, process.metrics()),
      shared_cache_(config_, random_.Next(), false),
      cache_({.loop = process.loop(),
              .scope = process.scope(),
              .shared = shared_cache_,
              .forwarder = forwarder_,
              .metrics = process.metrics(),
              .config = config_,
              .default_host = process.site().domain,
              .cdn_domain = origin_ ? "" : process.site().domain,
              .here = process.here().name,
              .loop_id = origin_ ? LoopId(Random(EntropySeed()).Next()) : std::string(),
              .foreign_origin = origin_ != nullptr}),
      versions_({.cache = cache_,
                 .metrics = process.metrics(),
                 .config = config_,
                 .default_host = process.site().domain,
                 .cdn_domain = origin_ ? "" : process.site().domain}),
      // Each connection may need a second one, to an upstream.
      visitor_servers_(std::make_shared<http::ServerGroup>(
          process.loop(),
          std::make_shared<http::ConnectionBudget>(
              io::FittingConnections("edge", config_.max_connections, 2)),
          "edge")),
      http_(process.loop(), ServerOptions(),
            [this](http::Exchange& exchange) { return Handle(exchange); }) {
  OpenAccessLog(access_file);
}

Edge::~Edge() = default;

void Edge::OpenAccessLog(const std::string& access_file) {
  const bool lab = process_.start().hosting == site::Hosting::kLab;
  AccessRule rule = config_.access_log.value_or(DefaultAccessRule(lab));
  std::string path =
      process_.start().state_directory / "logs" / process_.here().name / "access.log";
  if (origin_) {
    rule = access_file.empty() ? kLogOff : kLogAll;
    path = access_file;
  }
  if (!rule.any()) return;
  Result<AccessSink> sink = OpenAccessFile(path);
  if (!sink) {
    LOG_WARNING("the access log cannot be opened", {"problem", sink.error().message});
    process_.SetDetailOf("access log", "the access log cannot be opened: " + sink.error().message);
    return;
  }
  access_log_ =
      std::make_unique<AccessLog>(process_.loop(), process_.metrics(), rule, std::move(*sink));
  access_log_->on_problem = [this](std::string problem) {
    process_.SetDetailOf("access log", std::move(problem));
  };
}

http::ServerOptions Edge::ServerOptions() {
  http::ServerLimits limits;
  limits.max_body_bytes = config_.max_body_bytes;
  return {.limits = limits, .metrics = &server_metrics_, .group = visitor_servers_};
}

Result<std::shared_ptr<io::TlsContext>> Edge::VisitorTls() const {
  auto tls = io::TlsContext::ForServer(process_.WebTls());
  for (const Certificate& each : config_.certificates) {
    if (!tls) break;
    auto other = io::TlsContext::ForServer(
        {.certificate_path = each.certificate_path, .key_path = each.key_path});
    if (!other) {
      return Fail(other.error().code, "{} ([[edge.certificate]] in site.toml)",
                  other.error().message);
    }
    (*tls)->AddForNames(std::move(*other));
  }
  return tls;
}

io::Task<uint64_t> Edge::Purge(PurgeOrder order) {
  MemoryStore::Sweep sweep = cache_.store().BeginPurge(order);
  while (sweep.Step(process_.loop().Now())) {
    if (!co_await io::Sleep(kSweepPause)) break;
  }
  co_return sweep.purged();
}

io::Task<void> Edge::DropAll() {
  MemoryStore::Sweep sweep = cache_.store().BeginDrop();
  while (sweep.Step(process_.loop().Now())) {
    if (!co_await io::Sleep(kSweepPause)) break;
  }
}

Result<void> Edge::FollowPurges() {
  auto tls = io::TlsContext::ForClient(process_.PeerTls());
  if (!tls) return Fail(std::move(tls.error()));
  PurgeTarget target{
      .purge = [this](const site::PurgeOrder& order) { return Purge(OrderOf(order)); },
      .drop_all = [this] { return DropAll(); }};
  purges_ = std::make_unique<PurgePuller>(process_, *tls, std::move(target));
  purge_method_ = std::make_unique<PurgeMethod>(process_, *tls, config_.purge_from);
  process_.scope().Spawn(purges_->Run());
  return {};
}

Result<void> Edge::ServeHttps() {
  auto listeners = process_.ListenForVisitors("https", process_.site().ports.edge_https);
  if (!listeners) return Fail(std::move(listeners.error()));
  auto tls = VisitorTls();
  if (!tls) return Fail(std::move(tls.error()));
  http::ServerOptions options = ServerOptions();
  options.tls = std::move(*tls);
  https_ =
      std::make_unique<http::Server>(process_.loop(), std::move(options),
                                     [this](http::Exchange& exchange) { return Handle(exchange); });
  for (auto& listener : *listeners) https_->Serve(std::move(listener));
  return {};
}

io::Task<Result<void>> Edge::Start() {
  Result<void> connected;
  if (upstreams_) connected = upstreams_->Connect();
  if (!connected) co_return connected;
  auto plain = process_.ListenForVisitors("http", process_.site().ports.edge);
  if (!plain) co_return Fail(std::move(plain.error()));
  if (upstreams_) {
    Result<void> serving = ServeHttps();
    if (serving) serving = FollowPurges();
    if (!serving) co_return serving;
    process_.scope().Spawn(upstreams_->WatchOwnBalancer());
    process_.scope().Spawn(upstreams_->ReportInstances());
  }
  process_.AnswerOnOps(std::string(site::kCdnReportPath), [this] {
    const Costs* costs = &cache_.costs();
    return site::ToJson(ReportCosts({&costs, 1}, shared_cache_.wasteful, process_.loop().Now()));
  });
  for (auto& listener : *plain) http_.Serve(std::move(listener));
  process_.scope().Spawn(ReportLoad());
  if (access_log_) process_.scope().Spawn(access_log_->Run());
  co_return Result<void>{};
}

io::Task<void> Edge::Drain(Duration grace) {
  io::Scope both(process_.loop());
  TimePoint deadline = process_.loop().After(site::kDrainTimeout);
  both.Spawn(http_.Drain(deadline, grace));
  if (https_) both.Spawn(https_->Drain(deadline, grace));
  co_await both.Join();
  if (upstreams_) upstreams_->CloseInstances();
}

void Edge::OnView() {
  const site::DataCenterView* own = process_.view()->FindDataCenter(process_.here().name);
  const bool away = own != nullptr && (own->state == site::DataCenterState::kDraining ||
                                       own->state == site::DataCenterState::kDrained);
  http_.SetRetiring(away);
  if (https_) https_->SetRetiring(away);
  if (upstreams_) upstreams_->OnView();
}

io::Task<void> Edge::ReportLoad() {
  uint64_t before = 0;
  TimePoint began = process_.loop().Now();
  while (co_await io::Sleep(kLoadInterval)) {
    uint64_t now = visitors_.requests();
    double rate = static_cast<double>(now - before) / Seconds(process_.loop().Now() - began);
    process_.SetLoad(rate, visitors_.connections());
    cache_.ReportSize();
    shared_cache_.SetIsolated(config_.revalidate_when_isolated && purges_ && purges_->isolated());
    before = now;
    began = process_.loop().Now();
  }
}

io::Task<void> Edge::Handle(http::Exchange& exchange) {
  const wire::http::RequestHead& request = exchange.request();
  const wire::http::PathMatch match = wire::http::MatchPath(request.path, site::kReservedPath);
  // Probes, and requests of the site's pages to the edge itself.
  if (match == wire::http::PathMatch::kWithin && MaxForwards(request) != 0) {
    co_return co_await AnswerReserved(exchange);
  }
  VisitorRecord record{.begun = process_.loop().Now(), .datacenter = place_};
  if (exchange.first_on_connection()) visitors_.Connected();
  visitors_.Begin();
  if (request.method == "CONNECT") {  // its target is a host, not a path
    co_await AnswerHere(exchange, 501, "this is not a proxy to other hosts\n", {});
  } else if (MaxForwards(request) == 0) {
    const int status = request.method == "OPTIONS" ? 200 : 501;
    co_await AnswerHere(exchange, status, "Max-Forwards ends here\n", {});
  } else if (match == wire::http::PathMatch::kDisguised) {
    co_await AnswerHere(exchange, 400, "the path has an ambiguous spelling\n", {});
  } else if (cache_.IsLooping(request)) {
    co_await Refuse(exchange, 508, "forwarding loop: see CDN-Loop and Via of the request\n");
  } else {
    co_await HandleVisitor(exchange, record);
  }
  RecordEnd(exchange, record);
}

// The loop's time is that of the iteration's begin. This reads the clock, so that the duration
// includes the wait for other requests of the same iteration.
void Edge::RecordEnd(const http::Exchange& exchange, VisitorRecord& record) {
  const int status = exchange.answered_status();
  const Duration took = process_.driver().Now() - record.begun;
  visitors_.End(record, status, took);
  if (!access_log_ || !access_log_->Wants(status, random_)) return;
  access_log_->Add(
      {.time = access_log_->WallAt(record.begun),
       .client = exchange.peer().address.Unmapped(),
       .request = exchange.request(),
       .ids = record.Ids(exchange.request(), random_),
       .status = exchange.status(),
       .complete = status != 0,
       .sent_bytes = exchange.sent_bytes(),
       .took = took,
       .result = record.result,
       .datacenter = data_centers_[IsFetched(record.result) ? record.datacenter : place_],
       .instance = record.instance.text()});
}

io::Task<void> Edge::HandleVisitor(http::Exchange& exchange, VisitorRecord& record) {
  if (exchange.request().method == "PURGE" && purge_method_) {
    return purge_method_->Handle(exchange);
  }
  if (config_.redirect_http && !exchange.secure()) return RedirectToHttps(exchange);
  if (upstreams_ && IsCdnHost(exchange.request().authority, process_.site().domain)) {
    switch (JudgeCdn(exchange.request(), config_.cdn_paths)) {
      case CdnVerdict::kServe:
        break;
      case CdnVerdict::kMethod:
        return Refuse(exchange, 405, "static files allow only GET and HEAD\n");
      case CdnVerdict::kPath:
        return Refuse(exchange, 404, "no static file is here: [edge] cdn_paths\n");
    }
  }
  if (config_.versions) {
    if (auto versioned = ParseVersionedPath(exchange.request().path)) {
      return versions_.Handle(exchange, *versioned, record);
    }
  }
  return cache_.Handle(exchange, {.debug = MayDebug(exchange), .record = &record});
}

io::Task<void> Edge::RedirectToHttps(http::Exchange& exchange) {
  std::string location =
      HttpsLocation(exchange.request(), process_.site().domain, process_.site().ports.edge_https);
  HeaderFields fields;
  fields.Add("Location", location);
  fields.Add("Cache-Status", kCacheName);
  fields.Add("Via", ViaEntry());
  (void)co_await exchange.Respond({.status = 308, .fields = fields}, AsBytes("use HTTPS\n"));
  CountHere(exchange);
}

io::Task<void> Edge::Refuse(http::Exchange& exchange, int status, std::string_view text) {
  co_await AnswerHere(exchange, status, text, {});
  CountHere(exchange);
}

void Edge::CountHere(const http::Exchange& exchange) {
  cache_.costs().CountVisitor(ContentKind::kOther, Costs::Source::kHere, exchange.sent_bytes());
}

bool Edge::Ready() const {
  const site::DataCenterView* own = process_.view()->FindDataCenter(process_.here().name);
  return own != nullptr && own->state == site::DataCenterState::kServing && forwarder_.can_serve();
}

io::Task<void> Edge::AnswerReserved(http::Exchange& exchange) {
  if (exchange.request().path == site::kReadyPath) {
    bool ready = Ready();
    co_await AnswerHere(exchange, ready ? 200 : 503,
                        ready ? "ready\n" : "send visitors elsewhere\n", kReserved);
  } else if (exchange.request().path == kFallbackPath) {
    HeaderFields fields;
    const CacheStatusText status(kReserved);
    fields.Add("Content-Type", "text/javascript; charset=utf-8");
    fields.Add("Cache-Status", status.text());
    fields.Add("Cache-Control", "public, max-age=3600");
    fields.Add("Service-Worker-Allowed", "/");
    fields.Add("Via", ViaEntry());
    (void)co_await exchange.Respond({.fields = fields}, AsBytes(fallback_script_));
  } else if (config_.versions && exchange.request().path == kVersionPath) {
    co_await versions_.AnswerVersionQuery(exchange);
  } else {
    co_await AnswerHere(exchange, 404, "nothing is here\n", kReserved);
  }
}

bool Edge::MayDebug(const http::Exchange& exchange) const {
  if (exchange.request().fields.Find(site::kDebugField) != "1") return false;
  IpAddress peer = exchange.peer().address.Unmapped();
  return peer.is_loopback() ||
         std::ranges::any_of(config_.debug_from,
                             [&](const IpPrefix& allowed) { return allowed.Contains(peer); });
}

namespace {

int Run(const site::Site& site, site::TierStart start) {
  site::TierProcess process(site, std::move(start));
  Edge edge(process);
  return process.Run({.public_port = site.ports.edge,
                      .start = [&] { return edge.Start(); },
                      .on_view = [&] { edge.OnView(); },
                      .drain = [&](Duration grace) { return edge.Drain(grace); }});
}

}  // namespace

site::TierDescription Describe() {
  using site::Audience;
  return {.name = "edge",
          .summary = "The edge tier of a data center, by itself",
          .ports = {{.port = &site::Ports::edge},
                    {.key = "https_port", .port = &site::Ports::edge_https}},
          .sockets = {{.name = "http", .port = &site::Ports::edge, .audience = Audience::kVisitors},
                      {.name = "https",
                       .port = &site::Ports::edge_https,
                       .audience = Audience::kVisitors}},
          .in_edge_places = true,
          .section = ConfigSection(),
          .run = &Run};
}

int RunAlone(const Alone& alone) {
  site::Site site;
  site.name = site.domain = alone.host;
  site.datacenters.push_back({.name = "alone",
                              .address = alone.listen.address,
                              .public_addresses = {alone.listen.address}});
  site.ports.edge = alone.listen.port;
  site.sections.Put(alone.config);
  site::TierProcess process(site, {.tier = "edge", .data_center = "alone"});
  Edge edge(process, http::Upstream{.address = alone.origin}, alone.access_log);
  return process.Run({.public_port = site.ports.edge,
                      .start = [&] { return edge.Start(); },
                      .drain = [&](Duration grace) { return edge.Drain(grace); }});
}

}  // namespace meridian::edge
