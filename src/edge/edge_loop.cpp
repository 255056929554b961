#include "edge/edge_loop.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/random.hpp"
#include "edge/cache/cache_status.hpp"
#include "edge/cache/storage/content_kind.hpp"
#include "edge/config.hpp"
#include "edge/costs/costs.hpp"
#include "edge/fetch/answer.hpp"
#include "edge/fetch/forwarded_fields.hpp"
#include "edge/fetch/routes.hpp"
#include "edge/fetch/upstreams.hpp"
#include "edge/hosts/cdn_host.hpp"
#include "edge/hosts/https_redirect.hpp"
#include "edge/hosts/versioned_path.hpp"
#include "edge/purge/purge_method.hpp"
#include "edge/visitors/access_log.hpp"
#include "edge/visitors/visitor_record.hpp"
#include "http/exchange.hpp"
#include "http/limits.hpp"
#include "http/server/server.hpp"
#include "http/server/server_group.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "site/limits.hpp"
#include "site/ports.hpp"
#include "site/site.hpp"
#include "site/tier/internal_fields.hpp"
#include "site/tier/tier_loop.hpp"
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

std::unique_ptr<SiteUpstreams> MakeUpstreams(const site::TierLoop& on,
                                             const EdgeLoop::Options& options, EdgeLoop::Own& own) {
  if (options.origin) return nullptr;
  return std::make_unique<SiteUpstreams>(
      SiteUpstreams::Options{.on = on,
                             .site = options.site,
                             .here = options.here.name,
                             .config = options.config,
                             .loops = options.cache.loops,
                             .dispatcher = std::move(own.dispatcher),
                             .balancers = std::move(own.balancers)});
}

std::unique_ptr<OriginUpstream> MakeOrigin(const site::TierLoop& on,
                                           const EdgeLoop::Options& options) {
  if (!options.origin) return nullptr;
  return std::make_unique<OriginUpstream>(on.loop, on.network, options.config, *options.origin,
                                          options.cache.loops);
}

}  // namespace

EdgeLoop::EdgeLoop(const site::TierLoop& on, const Options& options, Own own)
    : on_(on),
      site_(options.site),
      here_(options.here),
      config_(options.config),
      fallback_script_(options.fallback_script),
      data_centers_(options.data_centers),
      place_(options.place),
      view_(own.view.view),
      server_metrics_(on.metrics, "meridian_edge"),
      visitors_(on.metrics, data_centers_, place_),
      random_(EntropySeed()),
      upstreams_(MakeUpstreams(on, options, own)),
      origin_(MakeOrigin(on, options)),
      forwarder_(origin_ ? static_cast<Upstreams&>(*origin_) : *upstreams_,
                 options.upstream_problems, on.metrics),
      cache_({.loop = on.loop,
              .scope = on.scope,
              .shared = options.cache,
              .loop_index = on.index,
              .forwarder = forwarder_,
              .metrics = on.metrics,
              .config = config_,
              .default_host = site_.domain,
              .cdn_domain = origin_ ? "" : site_.domain,
              .here = here_.name,
              .loop_id = options.loop_id,
              .foreign_origin = origin_ != nullptr}),
      versions_({.cache = cache_,
                 .metrics = on.metrics,
                 .config = config_,
                 .default_host = site_.domain,
                 .cdn_domain = origin_ ? "" : site_.domain}),
      visitor_servers_(std::make_shared<http::ServerGroup>(on.loop, options.connections, "edge")),
      http_(on.loop, ServerOptions(),
            [this](http::Exchange& exchange) { return Handle(exchange); }) {
  OpenAccessLog(options);
  if (own.agent) {
    purge_method_ = std::make_unique<PurgeMethod>(on.loop, on.network, std::move(*own.agent),
                                                  config_.purge_from);
  }
  if (own.tls) ServeHttps(own);
  OnView(own.view);
  for (auto& listener : own.http) http_.Serve(std::move(listener));
}

EdgeLoop::~EdgeLoop() = default;

void EdgeLoop::OpenAccessLog(const Options& options) {
  if (!options.access_sink) return;
  access_log_ =
      std::make_unique<AccessLog>(on_.loop, on_.metrics, options.access_rule, options.access_sink);
  access_log_->on_problem = [tell = options.on_log_problem, index = on_.index](
                                std::string problem) { tell(index, std::move(problem)); };
  on_.scope.Spawn(access_log_->Run());
}

http::ServerOptions EdgeLoop::ServerOptions() {
  http::ServerLimits limits;
  limits.max_body_bytes = config_.max_body_bytes;
  return {.limits = limits, .metrics = &server_metrics_, .group = visitor_servers_};
}

void EdgeLoop::ServeHttps(Own& own) {
  http::ServerOptions options = ServerOptions();
  options.tls = std::move(own.tls);
  https_ = std::make_unique<http::Server>(
      on_.loop, std::move(options), [this](http::Exchange& exchange) { return Handle(exchange); });
  for (auto& listener : own.https) https_->Serve(std::move(listener));
}

io::Task<void> EdgeLoop::Drain(Duration grace) {
  io::Scope both(on_.loop);
  TimePoint deadline = on_.loop.After(site::kDrainTimeout);
  both.Spawn(http_.Drain(deadline, grace));
  if (https_) both.Spawn(https_->Drain(deadline, grace));
  co_await both.Join();
}

void EdgeLoop::OnView(const EdgeView& view) {
  view_ = view.view;
  const site::DataCenterView* own = view_->FindDataCenter(here_.name);
  const bool away = own != nullptr && (own->state == site::DataCenterState::kDraining ||
                                       own->state == site::DataCenterState::kDrained);
  http_.SetRetiring(away);
  if (https_) https_->SetRetiring(away);
  if (upstreams_) upstreams_->OnView(*view_, view.own_balancer_answers);
}

io::Task<void> EdgeLoop::Handle(http::Exchange& exchange) {
  const wire::http::RequestHead& request = exchange.request();
  const wire::http::PathMatch match = wire::http::MatchPath(request.path, site::kReservedPath);
  // Probes, and requests of the site's pages to the edge itself.
  if (match == wire::http::PathMatch::kWithin && MaxForwards(request) != 0) {
    co_return co_await AnswerReserved(exchange);
  }
  VisitorRecord record{.begun = on_.loop.Now(), .datacenter = place_};
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
void EdgeLoop::RecordEnd(const http::Exchange& exchange, VisitorRecord& record) {
  const int status = exchange.answered_status();
  const Duration took = on_.loop.driver().Now() - record.begun;
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

io::Task<void> EdgeLoop::HandleVisitor(http::Exchange& exchange, VisitorRecord& record) {
  if (exchange.request().method == "PURGE" && purge_method_) {
    return purge_method_->Handle(exchange);
  }
  if (config_.redirect_http && !exchange.secure()) return RedirectToHttps(exchange);
  if (upstreams_ && IsCdnHost(exchange.request().authority, site_.domain)) {
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

io::Task<void> EdgeLoop::RedirectToHttps(http::Exchange& exchange) {
  std::string location = HttpsLocation(exchange.request(), site_.domain, site_.ports.edge_https);
  HeaderFields fields;
  fields.Add("Location", location);
  fields.Add("Cache-Status", kCacheName);
  fields.Add("Via", ViaEntry());
  (void)co_await exchange.Respond({.status = 308, .fields = fields}, AsBytes("use HTTPS\n"));
  CountHere(exchange);
}

io::Task<void> EdgeLoop::Refuse(http::Exchange& exchange, int status, std::string_view text) {
  co_await AnswerHere(exchange, status, text, {});
  CountHere(exchange);
}

void EdgeLoop::CountHere(const http::Exchange& exchange) {
  cache_.costs().CountVisitor(ContentKind::kOther, Costs::Source::kHere, exchange.sent_bytes());
}

bool EdgeLoop::Ready() const {
  const site::DataCenterView* own = view_->FindDataCenter(here_.name);
  return own != nullptr && own->state == site::DataCenterState::kServing && forwarder_.can_serve();
}

io::Task<void> EdgeLoop::AnswerReserved(http::Exchange& exchange) {
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

bool EdgeLoop::MayDebug(const http::Exchange& exchange) const {
  if (exchange.request().fields.Find(site::kDebugField) != "1") return false;
  IpAddress peer = exchange.peer().address.Unmapped();
  return peer.is_loopback() ||
         std::ranges::any_of(config_.debug_from,
                             [&](const IpPrefix& allowed) { return allowed.Contains(peer); });
}

}  // namespace meridian::edge
