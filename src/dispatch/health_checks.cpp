#include "dispatch/health_checks.hpp"

#include <memory>
#include <utility>

#include "base/result.hpp"
#include "dispatch/config.hpp"
#include "dispatch/limits.hpp"
#include "dispatch/policy/health.hpp"
#include "dispatch/roster.hpp"
#include "dispatch/shared_instance.hpp"
#include "http/client/client.hpp"
#include "http/client/fetch.hpp"
#include "io/loop.hpp"
#include "io/net/network.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"

namespace meridian::dispatch {

HealthChecks::HealthChecks(io::Loop& loop, io::Network& network, io::Scope& scope,
                           HealthRequest request, Roster& roster)
    : loop_(loop),
      network_(network),
      scope_(scope),
      request_(std::move(request)),
      roster_(roster) {}

void HealthChecks::Follow() {
  const auto list = roster_.instances();
  for (const auto& [instance, release] : *list) {
    if (std::exchange(instance->checked, true)) continue;
    scope_.Spawn(Check(instance));
  }
}

io::Task<void> HealthChecks::Check(std::shared_ptr<SharedInstance> instance) {
  using enum InstanceHealth::Check;
  const Config& config = roster_.config();
  // A separate connection: a full pool of the requests' connections must not fail the check.
  http::Client client(loop_, network_, {.address = instance->address});
  while (co_await io::Sleep(config.health_interval)) {
    if (roster_.IsRemoved(*instance)) break;
    http::Request request{.path = request_.path, .host = request_.host};
    auto answer =
        co_await http::Fetch(client, request, kMaxHealthBody, loop_.After(config.health_timeout));
    if (!answer && answer.error().code == Errc::kCancelled) break;
    const bool refused = !answer && answer.error().code == Errc::kRefused;
    const bool good = answer && answer->status < 400;
    roster_.OnCheck(*instance, good ? kGood : (refused ? kRefused : kBad), loop_.Now());
  }
  instance->checked = false;
}

}  // namespace meridian::dispatch
