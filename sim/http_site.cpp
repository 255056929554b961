#include "sim/http_site.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "balancer/handler.hpp"
#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "dispatch/config.hpp"
#include "dispatch/dispatcher.hpp"
#include "http/exchange.hpp"
#include "http/server/server.hpp"
#include "io/scope.hpp"
#include "io/sim/process.hpp"
#include "io/sim/world.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "sim/http_plan.hpp"
#include "site/view/view.hpp"
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
  Metrics metrics;
  io::Scope checks(machine.loop);
  dispatch::Config config{.response_timeout = std::chrono::seconds{3},
                          .try_timeout = std::chrono::seconds{1}};
  dispatch::Dispatcher dispatcher(machine.loop, machine.network, checks,
                                  {.tier = "balancer",
                                   .data_center = "here",
                                   .health_path = std::string(kHealthPath),
                                   .health_host = "app"},
                                  config, metrics, Random(machine.random.Next()));
  std::vector<site::InstanceView> views;
  for (size_t i = 0; i < count_; ++i) {
    views.push_back({.id = fmt::format("instance-{}", i),
                     .address = {InstanceAddress(i), kInstancePort},
                     .state = site::InstanceState::kHealthy});
  }
  dispatcher.SetInstances(views);
  dispatcher_ = &dispatcher;
  balancer::Handler handler(dispatcher, config, BalancerAddress(), metrics);
  co_await ServeForEver(machine, kBalancerPort,
                        [&handler](http::Exchange& exchange) { return handler.Handle(exchange); });
  dispatcher_ = nullptr;
  checks.Cancel();
  co_await checks.Join();
}

uint32_t SimBalancer::in_flight() const {
  if (dispatcher_ == nullptr) return 0;
  uint32_t sum = 0;
  for (const auto& instance : dispatcher_->roster().instances()) sum += instance->in_flight;
  return sum;
}

}  // namespace meridian::sim
