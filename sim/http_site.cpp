#include "sim/http_site.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "balancer/choice.hpp"
#include "balancer/instance.hpp"
#include "balancer/limits.hpp"
#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "http/client.hpp"
#include "http/exchange.hpp"
#include "http/fetch.hpp"
#include "http/forward.hpp"
#include "http/relay.hpp"
#include "http/server.hpp"
#include "io/scope.hpp"
#include "io/sim/process.hpp"
#include "io/sim/world.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "sim/http_plan.hpp"
#include "site/view.hpp"
#include "wire/http/message.hpp"
#include "wire/http/status.hpp"

namespace meridian::sim {
namespace {

constexpr std::string_view kHealthPath = "/healthy";
constexpr size_t kPartBytes = 3000;

// Serves until it is cancelled.
io::Task<void> ServeForEver(io::sim::Machine& machine, uint16_t port,
                            http::Server::Handler handler) {
  http::Server server(machine.loop, {}, std::move(handler));
  auto listener = machine.network.Listen({{}, port}, {});
  CHECK(listener);
  server.Serve(std::move(*listener));
  io::WaitQueue nobody;
  (void)co_await nobody.Wait();
  co_await server.Drain(machine.loop.Now());
}

}  // namespace

IpAddress BalancerAddress() { return IpAddress::V4(10, 0, 0, 1); }
IpAddress InstanceAddress(size_t index) {
  return IpAddress::V4(10, 0, 1, static_cast<uint8_t>(index + 1));
}

io::Task<void> AppInstance::Run(io::sim::Machine& machine) {
  busy_ = 0;
  co_await ServeForEver(machine, kInstancePort,
                        [this](http::Exchange& exchange) { return Handle(exchange); });
}

io::Task<void> AppInstance::Handle(http::Exchange& exchange) {
  if (exchange.request().path == kHealthPath) {
    (void)co_await http::RespondText(exchange, 200, "healthy\n");
    co_return;
  }
  Plan* plan = plans_.Find(exchange.request().path);
  if (plan == nullptr || plan->method != exchange.request().method) {
    world_.Fail(fmt::format("an instance got a request that nobody sent: {} {}",
                            exchange.request().method, exchange.request().path));
    co_return;
  }
  struct Busy {
    size_t& count;
    explicit Busy(size_t& counted) : count(counted) { ++count; }
    ~Busy() { --count; }
  } busy(busy_);
  if (++plan->received > 1 && !wire::http::IsIdempotentMethod(plan->method)) {
    world_.Fail(fmt::format("request {}, a {}, was processed twice", plan->id, plan->method));
  }
  if (!co_await Receive(exchange, *plan)) co_return;
  if (plan->thinking > Duration::zero() && !co_await io::Sleep(plan->thinking)) co_return;
  co_await Answer(exchange, *plan);
}

io::Task<bool> AppInstance::Receive(http::Exchange& exchange, const Plan& plan) {
  std::string body;
  for (;;) {
    Result<Bytes> data = co_await exchange.ReadBody();
    if (!data) co_return false;
    if (data->empty()) break;
    body += AsText(*data);
  }
  if (body != RequestBody(plan)) {
    world_.Fail(fmt::format("the body of request {} looks whole, but has {} bytes of {} or others",
                            plan.id, body.size(), plan.request_bytes));
  }
  co_return true;
}

io::Task<void> AppInstance::Answer(http::Exchange& exchange, const Plan& plan) {
  std::string id = fmt::format("{}", plan.id);
  std::string body = ResponseBody(plan);
  wire::http::HeaderFields fields;
  fields.Add(kIdField, id);
  if (!plan.streamed) {
    (void)co_await exchange.Respond({.status = 200, .fields = fields}, AsBytes(body));
    co_return;
  }
  if (!exchange.Start({.status = 200, .fields = fields})) co_return;
  std::string_view left = body;
  while (left.size() > kPartBytes) {
    if (!co_await exchange.Write(AsBytes(left.substr(0, kPartBytes)))) co_return;
    left.remove_prefix(kPartBytes);
    if (!co_await io::Sleep(std::chrono::milliseconds{1})) co_return;
  }
  (void)co_await exchange.Finish(AsBytes(left), {});
}

io::Task<void> SimBalancer::Run(io::sim::Machine& machine) {
  machine_ = &machine;
  config_.response_timeout = std::chrono::seconds{3};
  io::Scope checks(machine.loop);
  for (size_t i = 0; i < count_; ++i) {
    site::InstanceView view{.id = fmt::format("instance-{}", i),
                            .address = {InstanceAddress(i), kInstancePort}};
    instances_.push_back(
        std::make_shared<balancer::Instance>(machine.loop, machine.network, view, config_));
    instances_.back()->health.OnView(true);
    checks.Spawn(CheckHealth(*instances_.back()));
  }
  co_await ServeForEver(machine, kBalancerPort,
                        [this](http::Exchange& exchange) { return Forward(exchange); });
  checks.Cancel();
  co_await checks.Join();
  instances_.clear();
}

uint32_t SimBalancer::in_flight() const {
  uint32_t sum = 0;
  for (const auto& instance : instances_) sum += instance->in_flight;
  return sum;
}

io::Task<void> SimBalancer::CheckHealth(balancer::Instance& instance) {
  http::Client client(machine_->loop, machine_->network, {.address = instance.address});
  while (co_await io::Sleep(config_.health_interval)) {
    http::Request request{.path = kHealthPath, .host = "photos.example"};
    auto answer = co_await http::Fetch(client, request, balancer::kMaxHealthBody,
                                       machine_->loop.After(config_.health_timeout));
    instance.health.OnCheck(answer && answer->status < 400);
  }
}

std::shared_ptr<balancer::Instance> SimBalancer::ChooseFor(const std::vector<bool>& tried) {
  std::vector<balancer::Candidate> candidates;
  for (size_t i = 0; i < instances_.size(); ++i) {
    candidates.push_back({instances_[i]->in_flight, !tried[i] && instances_[i]->health.usable()});
  }
  std::optional<size_t> chosen = balancer::Choose(candidates, machine_->random);
  return chosen ? instances_[*chosen] : nullptr;
}

void SimBalancer::Note(balancer::Instance& instance, const http::ForwardOutcome& outcome) {
  using Kind = http::ForwardOutcome::Kind;
  if (outcome.kind == Kind::kAnswered && !outcome.broken) {
    instance.health.OnAnswered();
  } else if (outcome.error.code == Errc::kRefused) {
    instance.health.OnRefused();
  } else if (outcome.error.code != Errc::kCancelled && !outcome.never_sent) {
    instance.health.OnRequestFailed();
  }
}

io::Task<void> SimBalancer::Forward(http::Exchange& exchange) {
  using Kind = http::ForwardOutcome::Kind;
  const wire::http::RequestHead& request = exchange.request();
  wire::http::HeaderFields fields;
  http::CopyForwardable(request.fields, request.nominates_fields, &fields);
  std::vector<bool> tried(instances_.size());
  http::ForwardOutcome outcome{.error = {Errc::kUnavailable, "no instance is healthy"}};
  for (int attempt = 0; attempt <= config_.retries; ++attempt) {
    std::shared_ptr<balancer::Instance> instance = ChooseFor(tried);
    if (instance == nullptr) break;
    for (size_t i = 0; i < tried.size(); ++i) tried[i] = tried[i] || instances_[i] == instance;
    ++instance->in_flight;
    outcome = co_await http::ForwardOnce(exchange, fields, instance->client, {});
    --instance->in_flight;
    Note(*instance, outcome);
    if (outcome.kind == Kind::kAnswered) co_return;
    if (outcome.kind == Kind::kFailed) break;
  }
  (void)co_await http::RespondText(exchange, http::FailureStatus(outcome.error), "no answer\n");
}

}  // namespace meridian::sim
