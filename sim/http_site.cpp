#include "sim/http_site.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
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
#include "dispatch/health_checks.hpp"
#include "dispatch/roster.hpp"
#include "dispatch/share.hpp"
#include "edge/fetch/forwarder.hpp"
#include "edge/fetch/upstreams.hpp"
#include "edge/upstream_problems.hpp"
#include "edge/visitors/visitor_record.hpp"
#include "http/exchange.hpp"
#include "http/forward.hpp"
#include "http/relay.hpp"
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

// Serves requests until it is cancelled.
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

// The route of an edge in a site with one data center.
class OwnInstances final : public edge::Upstreams {
 public:
  explicit OwnInstances(dispatch::Dispatcher& dispatcher)
      : route_(std::make_shared<std::vector<edge::Hop>>(
            std::vector<edge::Hop>{{.name = "here", .dispatcher = &dispatcher}})) {}
  edge::Route RouteFor(bool /*passed_edge*/) const override { return route_; }

 private:
  edge::Route route_;
};

io::Task<void> ForwardAsEdge(edge::Forwarder& forwarder, http::Exchange& exchange) {
  wire::http::HeaderFields fields;
  http::CopyRequestFields(exchange.request(), {}, &fields);
  edge::VisitorRecord record;
  edge::ForwardResult forwarding = co_await forwarder.Forward(exchange, fields, {}, record);
  if (forwarding.kind == edge::ForwardResult::Kind::kAnswered) co_return;
  (void)co_await http::RespondText(exchange, http::FailureStatus(forwarding.error),
                                   forwarding.error.message + "\n");
}

}  // namespace

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
    world_.Fail(fmt::format("an instance got a request that no visitor sent: {} {}",
                            exchange.request().method, exchange.request().path));
    co_return;
  }
  struct Busy {
    size_t& count;
    explicit Busy(size_t& counted) : count(counted) { ++count; }
    ~Busy() { --count; }
  } busy(busy_);
  on_request_();
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

Endpoint SimTier::at() const {
  return kind_ == Kind::kEdge ? Endpoint{IpAddress::V4(10, 0, 0, 2), 8080}
                              : Endpoint{IpAddress::V4(10, 0, 0, 1), 8000};
}

// One dispatcher of a tier with its handler.
class SimTier::LoopOfTier {
 public:
  LoopOfTier(const SimTier& tier, io::sim::Machine& machine, dispatch::Roster& roster,
             edge::UpstreamProblems& problems, Metrics& metrics)
      : kind_(tier.kind_),
        dispatcher_(machine.loop, machine.network, roster,
                    {.tier = std::string(tier.name()), .data_center = "here"}, metrics,
                    Random(machine.random.Next())),
        handler_(dispatcher_, roster.config(), tier.at().address, metrics),
        upstreams_(dispatcher_),
        forwarder_(upstreams_, problems, metrics) {}

  io::Task<void> Handle(http::Exchange& exchange) {
    return kind_ == Kind::kBalancer ? handler_.Handle(exchange)
                                    : ForwardAsEdge(forwarder_, exchange);
  }

 private:
  Kind kind_;
  dispatch::Dispatcher dispatcher_;
  balancer::Handler handler_;
  OwnInstances upstreams_;
  edge::Forwarder forwarder_;
};

uint32_t SimTier::Share() const {
  dispatch::Shares shares = dispatch::DivideInFlight(kMaxInFlight);
  return kind_ == Kind::kEdge ? shares.edge : shares.balancer;
}

io::Task<void> SimTier::Run(io::sim::Machine& machine) {
  Metrics metrics;
  io::Scope checks(machine.loop);
  dispatch::Config config{.response_timeout = std::chrono::seconds{3},
                          .try_timeout = std::chrono::seconds{1},
                          .max_in_flight = Share()};
  dispatch::Roster roster(machine.loop, config, name(), metrics, Random(machine.random.Next()));
  dispatch::HealthChecks health(machine.loop, machine.network, checks,
                                {.path = std::string(kHealthPath), .host = "app"}, roster);
  std::vector<site::InstanceView> views;
  for (size_t i = 0; i < count_; ++i) {
    views.push_back({.id = fmt::format("instance-{}", i),
                     .address = {InstanceAddress(i), kInstancePort},
                     .state = site::InstanceState::kHealthy});
  }
  roster.SetInstances(views);
  health.Follow();
  roster_ = &roster;
  edge::UpstreamProblems problems;
  std::vector<std::unique_ptr<LoopOfTier>> loops;
  for (size_t i = 0; i < loops_; ++i) {
    loops.push_back(
        std::make_unique<LoopOfTier>(*this, machine, roster, problems, metrics.AddPart()));
  }
  size_t next = 0;
  co_await ServeForEver(machine, at().port, [&](http::Exchange& exchange) {
    return loops[next++ % loops.size()]->Handle(exchange);
  });
  roster_ = nullptr;
  checks.Cancel();
  co_await checks.Join();
}

uint32_t SimTier::in_flight(size_t instance) const {
  if (roster_ == nullptr) return 0;
  const auto instances = roster_->instances();
  return instance < instances->size() ? (*instances)[instance].instance->in_flight.load() : 0;
}

uint32_t SimTier::in_flight() const {
  uint32_t sum = 0;
  for (size_t i = 0; i < count_; ++i) sum += in_flight(i);
  return sum;
}

}  // namespace meridian::sim
