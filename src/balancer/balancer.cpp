#include "balancer/balancer.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "balancer/choice.hpp"
#include "balancer/config.hpp"
#include "balancer/instance.hpp"
#include "balancer/limits.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "http/client.hpp"
#include "http/exchange.hpp"
#include "http/fetch.hpp"
#include "http/forward.hpp"
#include "http/limits.hpp"
#include "http/relay.hpp"
#include "http/server.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/tls.hpp"
#include "io/wait_queue.hpp"
#include "site/internal_fields.hpp"
#include "site/limits.hpp"
#include "site/site.hpp"
#include "site/tier_process.hpp"
#include "site/view.hpp"
#include "wire/http/message.hpp"
#include "wire/http/uri.hpp"

namespace meridian::balancer {
namespace {

http::ServerLimits Limits() {
  http::ServerLimits limits;
  limits.max_connections = kMaxConnections;
  limits.max_body_bytes = UINT64_MAX;  // the edge's to bound
  limits.head.max_head_bytes += kMaxEdgeHeadBytes;
  limits.head.max_fields += kMaxEdgeFields;
  limits.body_timeout += kBodyGrace;
  return limits;
}

}  // namespace

Balancer::Balancer(site::TierProcess& process)
    : process_(process),
      config_(process.site().sections.Get<Config>()),
      server_metrics_(process.metrics(), "meridian_balancer"),
      retries_(process.metrics().AddCounter("meridian_balancer_retries_total",
                                            "Requests sent to another instance after a failure.")),
      unavailable_(process.metrics().AddCounter("meridian_balancer_unavailable_total",
                                                "Requests for which no instance was healthy.")),
      failures_(process.metrics().AddCounter("meridian_balancer_failures_total",
                                             "Tries at an instance that failed.")),
      random_(EntropySeed()),
      server_(process.loop(), {.limits = Limits(), .metrics = &server_metrics_},
              [this](http::Exchange& exchange) { return Handle(exchange); }) {}

Balancer::~Balancer() = default;

io::Task<Result<void>> Balancer::Start() {
  Endpoint at{process_.here().address, process_.site().ports.balancer};
  auto listener = process_.Listen("http", at);
  if (!listener) co_return Fail(std::move(listener.error()));
  at.port = site::PeerPort(at.port);
  auto peers = process_.Listen("peer", at);
  if (!peers) co_return Fail(std::move(peers.error()));
  auto tls = io::TlsContext::ForServer(process_.PeerTls());
  if (!tls) co_return Fail(std::move(tls.error()));
  peer_server_ = std::make_unique<http::Server>(
      process_.loop(),
      http::ServerOptions{.limits = Limits(), .tls = std::move(*tls), .metrics = &server_metrics_},
      [this](http::Exchange& exchange) { return Handle(exchange); });
  server_.Serve(std::move(*listener));
  peer_server_->Serve(std::move(*peers));
  co_return Result<void>{};
}

io::Task<void> Balancer::Drain(Duration grace) {
  io::Scope both(process_.loop());
  TimePoint deadline = process_.loop().After(site::kDrainTimeout);
  both.Spawn(server_.Drain(deadline, grace));
  if (peer_server_) both.Spawn(peer_server_->Drain(deadline, grace));
  co_await both.Join();
  for (auto& instance : instances_) instance->removed = true;
}

void Balancer::OnView() {
  std::vector<std::shared_ptr<Instance>> next;
  for (const site::InstanceView& view : process_.view()->instances) {
    if (view.datacenter != process_.here().name || view.address.port == 0) continue;
    auto known = std::ranges::find_if(instances_, [&](const auto& instance) {
      return instance->id == view.id && instance->address == view.address;
    });
    if (known != instances_.end()) {
      next.push_back(*known);
    } else {
      next.push_back(
          std::make_shared<Instance>(process_.loop(), process_.network(), view, config_));
      process_.scope().Spawn(CheckHealth(next.back()));
    }
    next.back()->health.OnView(view.state == site::InstanceState::kHealthy);
    next.back()->leaving = view.state == site::InstanceState::kDraining;
    if (next.back()->leaving) next.back()->client.CloseIdle();
  }
  for (auto& instance : instances_) {
    instance->removed = std::ranges::find(next, instance) == next.end();
    if (instance->removed) instance->client.CloseIdle();
  }
  instances_ = std::move(next);
  ReportLeaving();
}

void Balancer::ReportLeaving() {
  uint64_t requests = 0;
  for (const auto& instance : instances_) requests += instance->leaving ? instance->in_flight : 0;
  process_.SetLeaving(requests);
}

void Balancer::Release(Instance& instance) {
  --instance.in_flight;
  if (!instance.leaving && !instance.removed) return;
  // An application that waits for its connections to end need not wait for ours.
  instance.client.CloseIdle();
  ReportLeaving();
}

io::Task<void> Balancer::CheckHealth(std::shared_ptr<Instance> instance) {
  const site::Site& site = process_.site();
  // A connection of its own: when requests have taken all the others, that is no illness.
  http::Client client(process_.loop(), process_.network(), {.address = instance->address});
  while (co_await io::Sleep(config_.health_interval)) {
    if (instance->removed) co_return;
    http::Request request{.path = site.app.health_path, .host = site.domain};
    auto answer = co_await http::Fetch(client, request, kMaxHealthBody,
                                       process_.loop().After(config_.health_timeout));
    bool ejected = instance->health.ejected();
    instance->health.OnCheck(answer && answer->status < 400);
    if (ejected != instance->health.ejected()) {
      LOG_INFO("instance", {"instance", instance->id}, {"usable", ejected});
    }
  }
}

std::shared_ptr<Instance> Balancer::ChooseFor(const std::vector<const Instance*>& tried) {
  std::vector<Candidate> candidates;
  candidates.reserve(instances_.size());
  for (const auto& instance : instances_) {
    bool fresh = std::ranges::find(tried, instance.get()) == tried.end();
    candidates.push_back({instance->in_flight, fresh && instance->health.usable()});
  }
  std::optional<size_t> chosen = Choose(candidates, random_);
  return chosen ? instances_[*chosen] : nullptr;
}

void Balancer::Note(Instance& instance, const http::ForwardOutcome& outcome) {
  using Kind = http::ForwardOutcome::Kind;
  if (outcome.kind == Kind::kAnswered && !outcome.broken) {
    instance.health.OnAnswered();
    return;
  }
  // A visitor who left, or a full pool, says nothing about the instance.
  bool its_own = outcome.error.code == Errc::kRefused || !outcome.never_sent;
  if (outcome.error.code == Errc::kCancelled || !its_own) return;
  failures_.Add();
  if (outcome.error.code == Errc::kRefused) {
    instance.health.OnRefused();
  } else {
    instance.health.OnRequestFailed();
  }
  LOG_WARNING("a try failed", {"instance", instance.id}, {"problem", outcome.error.message},
              {"never_sent", outcome.never_sent});
}

io::Task<void> Balancer::Handle(http::Exchange& exchange) {
  switch (wire::http::MatchPath(exchange.request().path, site::kReservedPath)) {
    case wire::http::PathMatch::kOutside:
      co_await Forward(exchange);
      co_return;
    case wire::http::PathMatch::kWithin:
      (void)co_await http::RespondText(
          exchange, exchange.request().path == site::kReadyPath ? 200 : 404, "\n");
      co_return;
    case wire::http::PathMatch::kDisguised:
      (void)co_await http::RespondText(exchange, 400, "the path is not spelled plainly\n");
      co_return;
  }
}

// What an application says in our own fields is not passed on: taken for ours, its 503 would carry
// a request that it has seen to another data center.
http::RelayOptions Balancer::OptionsFor(const http::Exchange& exchange, std::string& path) const {
  bool debug = exchange.request().fields.Find(site::kDebugField) == "1";
  auto edit = [debug, &path](const wire::http::ResponseHead&, wire::http::HeaderFields& fields) {
    fields.Remove(site::kUnavailableField);
    fields.Remove(site::kPathField);
    if (debug) fields.Add(site::kPathField, path);
  };
  return {.edit_response = edit};
}

io::Task<void> Balancer::Forward(http::Exchange& exchange) {
  using Kind = http::ForwardOutcome::Kind;
  const wire::http::RequestHead& request = exchange.request();
  wire::http::HeaderFields fields;
  http::CopyForwardable(request.fields, request.nominates_fields, &fields);
  fields.Add("Via", "1.1 meridian-balancer");
  std::vector<const Instance*> tried;
  std::string path;
  http::RelayOptions options = OptionsFor(exchange, path);
  http::ForwardOutcome outcome;
  for (int attempt = 0; attempt <= config_.retries; ++attempt) {
    std::shared_ptr<Instance> instance = ChooseFor(tried);
    if (!instance) break;
    if (attempt > 0) retries_.Add();
    tried.push_back(instance.get());
    path = fmt::format("balancer={} instance={}", process_.here().name, instance->id);
    ++instance->in_flight;
    outcome = co_await http::ForwardOnce(exchange, fields, instance->client, options);
    Release(*instance);
    Note(*instance, outcome);
    if (outcome.kind == Kind::kAnswered) co_return;
    if (outcome.kind == Kind::kFailed) break;
  }
  if (tried.empty()) {
    co_await AnswerUnavailable(exchange);
  } else {
    (void)co_await http::RespondText(exchange, http::FailureStatus(outcome.error),
                                     "no instance could answer\n");
  }
}

io::Task<void> Balancer::AnswerUnavailable(http::Exchange& exchange) {
  unavailable_.Add();
  std::string retry_after = fmt::format("{}", kRetryAfterSeconds);
  wire::http::HeaderFields fields;
  fields.Add("Content-Type", "text/plain; charset=utf-8");
  fields.Add("Retry-After", retry_after);
  fields.Add(site::kUnavailableField, "1");
  (void)co_await exchange.Respond({.status = 503, .fields = fields},
                                  AsBytes("no instance of the application is healthy\n"));
}

int Run(const site::Site& site, site::TierStart start) {
  site::TierProcess process(site, std::move(start));
  Balancer balancer(process);
  return process.Run({.public_port = site.ports.balancer,
                      .start = [&] { return balancer.Start(); },
                      .on_view = [&] { balancer.OnView(); },
                      .drain = [&](Duration grace) { return balancer.Drain(grace); }});
}

}  // namespace meridian::balancer
