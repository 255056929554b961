#include "balancer/dispatcher.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "balancer/choice.hpp"
#include "balancer/config.hpp"
#include "balancer/instance.hpp"
#include "balancer/limits.hpp"
#include "base/bytes.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "http/client.hpp"
#include "http/exchange.hpp"
#include "http/fetch.hpp"
#include "http/forward.hpp"
#include "http/relay.hpp"
#include "io/loop.hpp"
#include "io/network.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/internal_fields.hpp"
#include "site/view.hpp"
#include "wire/http/message.hpp"

namespace meridian::balancer {

Dispatcher::Dispatcher(io::Loop& loop, io::Network& network, io::Scope& checks, Place place,
                       const Config& config, Metrics& metrics, Random random)
    : loop_(loop),
      network_(network),
      checks_(checks),
      place_(std::move(place)),
      config_(config),
      retries_(metrics.AddCounter("meridian_balancer_retries_total",
                                  "Requests sent to another instance after a failure.")),
      unavailable_(metrics.AddCounter("meridian_balancer_unavailable_total",
                                      "Requests for which no instance was healthy.")),
      failures_(metrics.AddCounter("meridian_balancer_failures_total",
                                   "Tries at an instance that failed.")),
      random_(random) {}

Dispatcher::~Dispatcher() = default;

std::shared_ptr<Instance> Dispatcher::Find(const site::InstanceView& view) const {
  auto known = std::ranges::find_if(instances_, [&](const auto& instance) {
    return instance->id == view.id && instance->address == view.address;
  });
  return known == instances_.end() ? nullptr : *known;
}

void Dispatcher::SetInstances(std::span<const site::InstanceView> instances) {
  std::vector<std::shared_ptr<Instance>> next;
  for (const site::InstanceView& view : instances) {
    std::shared_ptr<Instance> instance = Find(view);
    if (!instance) {
      instance = std::make_shared<Instance>(loop_, network_, view, config_);
      checks_.Spawn(CheckHealth(instance));
    }
    instance->health.OnView(view.state == site::InstanceState::kHealthy);
    next.push_back(std::move(instance));
  }
  for (auto& instance : instances_) {
    instance->removed = std::ranges::find(next, instance) == next.end();
  }
  instances_ = std::move(next);
}

io::Task<void> Dispatcher::CheckHealth(std::shared_ptr<Instance> instance) {
  // A connection of its own: when requests have taken all the others, that is no illness.
  http::Client client(loop_, network_, {.address = instance->address});
  while (co_await io::Sleep(config_.health_interval)) {
    if (instance->removed) co_return;
    http::Request request{.path = place_.health_path, .host = place_.health_host};
    auto answer =
        co_await http::Fetch(client, request, kMaxHealthBody, loop_.After(config_.health_timeout));
    bool ejected = instance->health.ejected();
    instance->health.OnCheck(answer && answer->status < 400);
    if (ejected != instance->health.ejected()) {
      LOG_INFO("instance", {"instance", instance->id}, {"usable", ejected});
    }
  }
}

std::shared_ptr<Instance> Dispatcher::ChooseFor(const std::vector<const Instance*>& tried) {
  std::vector<Candidate> candidates;
  candidates.reserve(instances_.size());
  for (const auto& instance : instances_) {
    bool fresh = std::ranges::find(tried, instance.get()) == tried.end();
    candidates.push_back({instance->in_flight, fresh && instance->health.usable()});
  }
  std::optional<size_t> chosen = Choose(candidates, random_);
  return chosen ? instances_[*chosen] : nullptr;
}

void Dispatcher::Note(Instance& instance, const http::ForwardOutcome& outcome) {
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

// What an application says in our own fields is not passed on: taken for ours, its 503 would carry
// a request that it has seen to another data center.
http::RelayOptions Dispatcher::OptionsFor(Trip& trip) const {
  auto edit = [this, &trip](const wire::http::ResponseHead&, wire::http::HeaderFields& fields) {
    fields.Remove(site::kUnavailableField);
    fields.Remove(site::kPathField);
    if (!trip.debug) return;
    trip.path = fmt::format("balancer={} instance={}", place_.data_center, trip.at->id);
    fields.Add(site::kPathField, trip.path);
  };
  return {.edit_response = edit};
}

io::Task<void> Dispatcher::Handle(http::Exchange& exchange) {
  using Kind = http::ForwardOutcome::Kind;
  const wire::http::RequestHead& request = exchange.request();
  wire::http::HeaderFields fields;
  http::CopyForwardable(request.fields, request.nominates_fields, &fields);
  fields.Add("Via", "1.1 meridian-balancer");
  std::vector<const Instance*> tried;
  Trip trip{.debug = request.fields.Find(site::kDebugField) == "1"};
  http::RelayOptions options = OptionsFor(trip);
  http::ForwardOutcome outcome;
  for (int attempt = 0; attempt <= config_.retries; ++attempt) {
    std::shared_ptr<Instance> instance = ChooseFor(tried);
    if (!instance) break;
    if (attempt > 0) retries_.Add();
    trip.at = instance.get();
    tried.push_back(trip.at);
    ++instance->in_flight;
    outcome = co_await http::ForwardOnce(exchange, fields, instance->client, options);
    --instance->in_flight;
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

io::Task<void> Dispatcher::AnswerUnavailable(http::Exchange& exchange) {
  unavailable_.Add();
  std::string retry_after = fmt::format("{}", kRetryAfterSeconds);
  wire::http::HeaderFields fields;
  fields.Add("Content-Type", "text/plain; charset=utf-8");
  fields.Add("Retry-After", retry_after);
  fields.Add(site::kUnavailableField, "1");
  (void)co_await exchange.Respond({.status = 503, .fields = fields},
                                  AsBytes("no instance of the application is healthy\n"));
}

}  // namespace meridian::balancer
