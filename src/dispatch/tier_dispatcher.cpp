#include "dispatch/tier_dispatcher.hpp"

#include <memory>
#include <span>
#include <string>
#include <utility>

#include "base/random.hpp"
#include "dispatch/config.hpp"
#include "dispatch/dispatcher.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/limits.hpp"
#include "site/site.hpp"
#include "site/tier/tier_loop.hpp"
#include "site/tier/tier_process.hpp"
#include "site/view/view.hpp"

namespace meridian::dispatch {

TierDispatcher::TierDispatcher(site::TierProcess& process, std::string tier, const Config& config)
    : process_(process),
      tier_(std::move(tier)),
      roster_(process.loop(), config, tier_, process.metrics(), Random(EntropySeed())),
      checks_(process.loop(), process.network(), process.scope(),
              {.path = process.site().app.health_path, .host = process.site().domain}, roster_) {
  process_.scope().Spawn(TellChanges());
}

std::unique_ptr<Dispatcher> TierDispatcher::MakeDispatcher(const site::TierLoop& loop) {
  return std::make_unique<Dispatcher>(
      loop.loop, loop.network, roster_,
      DispatchContext{.tier = tier_, .data_center = process_.here().name}, loop.metrics,
      Random(EntropySeed()));
}

void TierDispatcher::OnView() {
  SetInstances(site::InstancesToReach(*process_.view(), process_.here().name));
}

void TierDispatcher::SetInstances(std::span<const site::InstanceView> instances) {
  roster_.SetInstances(instances);
  // At once: the agent reads it beside the number of the view.
  process_.SetLeaving(roster_.leaving_requests());
  checks_.Follow();
}

io::Task<void> TierDispatcher::Report() {
  do process_.SetInstances(roster_.Report());
  while (co_await io::Sleep(site::kLoadReportInterval));
}

io::Task<void> TierDispatcher::TellChanges() {
  std::string told;
  do {
    process_.SetLeaving(roster_.leaving_requests());
    if (std::string problem = roster_.problem(); problem != told) {
      told = std::move(problem);
      process_.SetDetail(told);
    }
  } while (co_await roster_.changed().Wait());
}

}  // namespace meridian::dispatch
