#include "dns/health/prober.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "base/result.hpp"
#include "dns/limits.hpp"
#include "http/client/client.hpp"
#include "http/client/fetch.hpp"
#include "http/limits.hpp"
#include "io/fiber.hpp"
#include "io/loop.hpp"
#include "io/net/network.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/tier/internal_fields.hpp"

namespace meridian::dns {
namespace {

constexpr int kReady = 200;

http::ClientLimits ClientLimitsOf(const ProberOptions& options) {
  http::ClientLimits limits;
  limits.max_connections = limits.max_idle = 1;
  limits.max_waiting = 1;
  limits.connect_timeout = limits.head_timeout = options.timeout;
  return limits;
}

Counter& ProbeCounter(Metrics& metrics, const std::string& data_center, const char* result) {
  return metrics.AddCounter("meridian_dns_probes_total", "Probes of the data centers' edges.",
                            {{"datacenter", data_center}, {"result", result}});
}

}  // namespace

struct Prober::Target {
  Target(io::Loop& loop, io::Network& network, Metrics& metrics, const ProberOptions& options,
         const ProbeTarget& target)
      : client(loop, network, {.address = target.edge, .from = options.from},
               ClientLimitsOf(options)),
        hits(ProbeCounter(metrics, target.name, "hit")),
        misses(ProbeCounter(metrics, target.name, "miss")) {}

  http::Client client;
  Counter& hits;
  Counter& misses;
};

Prober::Prober(io::Loop& loop, io::Network& network, Metrics& metrics, ProberOptions options)
    : loop_(loop), network_(network), metrics_(metrics), options_(std::move(options)) {}

Prober::~Prober() = default;

void Prober::Start(const std::vector<ProbeTarget>& targets, OnResult on_result, io::Scope& scope) {
  CHECK(targets_.empty());
  on_result_ = std::move(on_result);
  for (const ProbeTarget& target : targets) {
    targets_.push_back(std::make_unique<Target>(loop_, network_, metrics_, options_, target));
  }
  for (size_t i = 0; i < targets_.size(); ++i) scope.Spawn(Run(i));
}

io::Task<void> Prober::Run(size_t index) {
  Target& target = *targets_[index];
  TimePoint next = loop_.Now();
  while (true) {
    bool hit = co_await Probe(target);
    io::Fiber& fiber = co_await io::ThisFiber{};
    if (fiber.cancelled()) co_return;
    (hit ? target.hits : target.misses).Add();
    on_result_(index, hit);
    // The interval does not depend on the duration of probes; missed probes are skipped.
    next = std::max(SaturatingAdd(next, options_.interval), loop_.Now());
    Result<void> waited = co_await io::SleepUntil(next);
    if (!waited) co_return;
  }
}

io::Task<bool> Prober::Probe(Target& target) {
  http::Request request{.path = site::kReadyPath, .host = options_.host};
  Result<http::Fetched> answer = co_await http::Fetch(target.client, request, kMaxProbeAnswerBytes,
                                                      loop_.After(options_.timeout));
  co_return answer && answer->status == kReady;
}

}  // namespace meridian::dns
