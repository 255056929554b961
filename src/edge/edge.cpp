#include "edge/edge.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "edge/cache/purge.hpp"
#include "edge/cache/storage/memory_store.hpp"
#include "edge/config.hpp"
#include "edge/costs/costs.hpp"
#include "edge/edge_loop.hpp"
#include "edge/fetch/loop_detection.hpp"
#include "edge/fetch/upstreams.hpp"
#include "edge/hosts/fallback_script.hpp"
#include "edge/limits.hpp"
#include "edge/purge/purge_method.hpp"
#include "edge/purge/purge_puller.hpp"
#include "edge/visitors/access_log.hpp"
#include "edge/visitors/access_rule.hpp"
#include "http/client/client.hpp"
#include "http/server/connection_budget.hpp"
#include "io/descriptors.hpp"
#include "io/net/tls.hpp"
#include "io/task.hpp"
#include "io/threads/per_loop.hpp"
#include "io/wait_queue.hpp"
#include "site/ports.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"
#include "site/tier/tier_loop.hpp"
#include "site/tier/tier_process.hpp"
#include "site/tier_description.hpp"
#include "site/trust/certificate_expiries.hpp"
#include "site/view/cdn_report.hpp"
#include "site/view/purge.hpp"

namespace meridian::edge {
namespace {

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
      origin_(std::move(origin)),
      config_(process.site().sections.Get<Config>()),
      fallback_script_(FallbackScript(process.site(), process.here())),
      data_centers_(NamesOf(process.site())),
      place_(static_cast<uint16_t>(std::ranges::find(data_centers_, process.here().name) -
                                   data_centers_.begin())),
      cache_(config_, Random(EntropySeed()).Next(), process.loop_count()),
      instances_(origin_ ? nullptr : MakeRoster(process, config_)),
      log_problems_(process.loop_count()),
      loops_(process.scopes()) {
  const bool lab = process_.start().hosting == site::Hosting::kLab;
  access_rule_ = config_.access_log.value_or(DefaultAccessRule(lab));
  if (origin_) access_rule_ = access_file.empty() ? kLogOff : kLogAll;
  if (!access_rule_.any()) return;
  const std::string own =
      process_.start().state_directory / "logs" / process_.here().name / "access.log";
  OpenAccessFile(origin_ ? access_file : own);
}

Edge::~Edge() = default;

int Edge::Run() {
  return process_.Run({.public_port = process_.site().ports.edge,
                       .start = [this] { return Start(); },
                       .on_view = [this] { OnView(); },
                       .drain = [this](Duration grace) { return Drain(grace); },
                       .end = [this] { return End(); }});
}

void Edge::OpenAccessFile(const std::string& path) {
  Result<AccessSink> sink = edge::OpenAccessFile(path);
  if (sink) {
    access_sink_ = std::move(*sink);
    return;
  }
  LOG_WARNING("the access log cannot be opened", {"problem", sink.error().message});
  process_.SetDetailOf("access log", "the access log cannot be opened: " + sink.error().message);
}

void Edge::OnLogProblem(size_t loop, std::string problem) {
  log_problems_[loop] = std::move(problem);
  // All loops write the same file: one problem tells enough.
  auto any = std::ranges::find_if_not(log_problems_, &std::string::empty);
  process_.SetDetailOf("access log", any == log_problems_.end() ? "" : *any);
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

void Edge::WatchCertificates() {
  std::vector<site::NamedCertificate> shown = {
      {.name = "web", .path = process_.WebTls().certificate_path}};
  for (const Certificate& each : config_.certificates) {
    shown.push_back({.name = each.certificate_path, .path = each.certificate_path});
  }
  certificate_expiries_ = std::make_unique<site::CertificateExpiries>(
      process_.metrics(), "meridian_edge_certificate_expiry_timestamp_seconds", std::move(shown));
  process_.scope().Spawn(certificate_expiries_->Run());
}

Result<void> Edge::OpenHttps(std::vector<EdgeLoop::Own>* own) {
  auto listeners = process_.ListenForVisitorsOnLoops("https", process_.site().ports.edge_https);
  if (!listeners) return Fail(std::move(listeners.error()));
  std::string ticket_keys;
  for (size_t i = 0; i < own->size(); ++i) {
    auto tls = VisitorTls();
    if (!tls) return Fail(std::move(tls.error()));
    // A client resumes its session on whichever loop its next connection comes to.
    if (ticket_keys.empty()) ticket_keys = (*tls)->TicketKeys();
    if (own->size() > 1) (*tls)->UseTicketKeys(ticket_keys);
    (*own)[i].https = std::move((*listeners)[i]);
    (*own)[i].tls = std::move(*tls);
  }
  return {};
}

Result<void> Edge::ConnectLoops(std::vector<EdgeLoop::Own>* own) {
  for (EdgeLoop::Own& each : *own) {
    Result<Balancers> balancers = BalancersOf(process_, instances_ != nullptr);
    if (!balancers) return Fail(std::move(balancers.error()));
    auto tls = io::TlsContext::ForClient(process_.PeerTls());
    if (!tls) return Fail(std::move(tls.error()));
    each.balancers = std::move(*balancers);
    each.agent = PurgeMethod::AgentOf(process_, std::move(*tls));
  }
  return {};
}

Result<std::vector<EdgeLoop::Own>> Edge::OpenForLoops() {
  auto plain = process_.ListenForVisitorsOnLoops("http", process_.site().ports.edge);
  if (!plain) return Fail(std::move(plain.error()));
  std::vector<EdgeLoop::Own> own(loops_.size());
  for (size_t i = 0; i < own.size(); ++i) {
    own[i].view = {.view = process_.view(), .own_balancer_answers = own_balancer_answers_};
    own[i].http = std::move((*plain)[i]);
  }
  if (origin_) return own;
  Result<void> opened = OpenHttps(&own);
  if (opened) opened = ConnectLoops(&own);
  if (!opened) return Fail(std::move(opened.error()));
  return own;
}

EdgeLoop::Options Edge::LoopOptions() {
  return {.site = process_.site(),
          .here = process_.here(),
          .config = config_,
          .fallback_script = fallback_script_,
          .data_centers = data_centers_,
          .place = place_,
          .cache = cache_,
          .upstream_problems = upstream_problems_,
          // Each connection may need a second one, to an upstream.
          .connections = std::make_shared<http::ConnectionBudget>(
              io::FittingConnections("edge", config_.max_connections, 2, process_.loop_count())),
          .origin = origin_,
          .loop_id = origin_ ? LoopId(Random(EntropySeed()).Next()) : std::string(),
          .access_rule = access_rule_,
          .access_sink = access_sink_,
          .on_log_problem = [this](size_t loop, std::string problem) {
            process_.loop().Post(
                [this, loop, problem = std::move(problem)] { OnLogProblem(loop, problem); });
          }};
}

io::Task<void> Edge::MakeLoops(std::vector<EdgeLoop::Own> own) {
  const EdgeLoop::Options options = LoopOptions();
  counted_.resize(loops_.size());
  co_await loops_.Make([&](size_t index) {
    const site::TierLoop on = process_.OnLoop(index);
    if (instances_) own[index].dispatcher = instances_->MakeDispatcher(on);
    auto loop = std::make_unique<EdgeLoop>(on, options, std::move(own[index]));
    counted_[index] = loop.get();
    return loop;
  });
  OnView();  // the view may have changed meanwhile
}

io::Task<Result<void>> Edge::Start() {
  auto own = OpenForLoops();
  if (!own) co_return Fail(std::move(own.error()));
  // The cache must not serve before the purges are followed.
  Result<void> following;
  if (!origin_) following = FollowPurges();
  if (!following) co_return following;
  co_await MakeLoops(std::move(*own));
  if (instances_) process_.scope().Spawn(instances_->Report());
  if (!origin_ && !instances_ && !process_.here().edge_only) {
    process_.scope().Spawn(WatchBalancer());
  }
  process_.AnswerOnOps(std::string(site::kCdnReportPath), [this] {
    std::vector<const Costs*> costs;
    for (const EdgeLoop* loop : counted_) costs.push_back(&loop->costs());
    return site::ToJson(ReportCosts(costs, cache_.wasteful, process_.loop().Now()));
  });
  process_.scope().Spawn(Report());
  if (!origin_) WatchCertificates();
  co_return Result<void>{};
}

Result<void> Edge::FollowPurges() {
  auto tls = io::TlsContext::ForClient(process_.PeerTls());
  if (!tls) return Fail(std::move(tls.error()));
  PurgeTarget target{
      .purge = [this](const site::PurgeOrder& order) -> io::Task<uint64_t> {
        return Sweep(cache_.store.BeginPurge(OrderOf(order)));
      },
      .drop_all = [this]() -> io::Task<void> { co_await Sweep(cache_.store.BeginDrop()); }};
  purges_ = std::make_unique<PurgePuller>(process_, *tls, std::move(target));
  process_.scope().Spawn(purges_->Run());
  return {};
}

io::Task<uint64_t> Edge::Sweep(MemoryStore::Sweep sweep) {
  while (sweep.Step(process_.loop().Now())) {
    if (!co_await io::Sleep(kSweepPause)) break;
  }
  co_return sweep.purged();
}

io::Task<void> Edge::WatchBalancer() {
  Result<Balancers> balancers = BalancersOf(process_, false);
  if (!balancers) co_return;  // the loops have made theirs
  co_await WatchOwnBalancer(process_, balancers->at(process_.here().name), [this](bool answers) {
    own_balancer_answers_ = answers;
    OnView();
  });
}

io::Task<void> Edge::Drain(Duration grace) {
  co_await loops_.ForEach([grace](EdgeLoop& loop) { return loop.Drain(grace); });
  if (instances_) instances_->Close();
}

io::Task<void> Edge::End() {
  counted_.clear();
  co_await loops_.Destroy();
}

void Edge::OnView() {
  if (instances_) instances_->OnView();
  const EdgeView view{.view = process_.view(), .own_balancer_answers = own_balancer_answers_};
  loops_.Post([view](EdgeLoop& loop) { loop.OnView(view); });
}

io::Task<void> Edge::Report() {
  uint64_t before = 0;
  TimePoint began = process_.loop().Now();
  while (co_await io::Sleep(kLoadInterval)) {
    uint64_t requests = 0;
    uint64_t connections = 0;
    for (const EdgeLoop* loop : counted_) {
      requests += loop->visitors().requests();
      connections += loop->visitors().connections();
    }
    const double seconds = Seconds(process_.loop().Now() - began);
    process_.SetLoad(static_cast<double>(requests - before) / seconds, connections);
    loops_.first()->ReportCacheSize();
    cache_.SetIsolated(config_.revalidate_when_isolated && purges_ && purges_->isolated());
    before = requests;
    began = process_.loop().Now();
  }
}

namespace {

int Run(const site::Site& site, site::TierStart start) {
  const size_t loops = site::TierThreads(site, start);
  site::TierProcess process(site, std::move(start), loops);
  return Edge(process).Run();
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
          .has_threads = true,
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
  if (alone.threads) site.threads["edge"] = *alone.threads;
  site::TierStart start{.tier = "edge", .data_center = "alone"};
  const size_t loops = site::TierThreads(site, start);
  site::TierProcess process(site, std::move(start), loops);
  return Edge(process, http::Upstream{.address = alone.origin}, alone.access_log).Run();
}

}  // namespace meridian::edge
