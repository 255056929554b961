#include "dispatch/tier_dispatcher.hpp"

#include <string>
#include <utility>

#include "base/random.hpp"
#include "dispatch/config.hpp"
#include "dispatch/dispatcher.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/limits.hpp"
#include "site/site.hpp"
#include "site/tier/tier_process.hpp"
#include "site/view/view.hpp"

namespace meridian::dispatch {

TierDispatcher::TierDispatcher(site::TierProcess& process, std::string tier, const Config& config)
    : process_(process),
      dispatcher_(process.loop(), process.network(), process.scope(),
                  {.tier = std::move(tier),
                   .data_center = process.here().name,
                   .health_path = process.site().app.health_path,
                   .health_host = process.site().domain},
                  config, process.metrics(), Random(EntropySeed())) {
  dispatcher_.OnLeaving([this] { process_.SetLeaving(dispatcher_.roster().leaving_requests()); });
  dispatcher_.OnProblem([this] { process_.SetDetail(dispatcher_.roster().problem()); });
}

void TierDispatcher::OnView() {
  dispatcher_.SetInstances(site::InstancesToReach(*process_.view(), process_.here().name));
}

io::Task<void> TierDispatcher::Report() {
  do process_.SetInstances(dispatcher_.roster().Report());
  while (co_await io::Sleep(site::kLoadReportInterval));
}

}  // namespace meridian::dispatch
