// Engines: Prometheus and Alertmanager of this data center, and their files. It writes the
// configurations, has the engines read them again when they change, and keeps the engines running.
//
// Nothing here is needed to serve visitors: what fails is in the status, and is tried again.
//
// Owned by the agent; one thread: the agent's loop, and one for files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "agent/children/application_target.hpp"
#include "agent/context.hpp"
#include "agent/engines/alertmanager_config.hpp"
#include "agent/engines/engine_child.hpp"
#include "agent/engines/notice_owner.hpp"
#include "agent/engines/prometheus_config.hpp"
#include "agent/report/status.hpp"
#include "base/metrics.hpp"
#include "base/recurring_problem.hpp"
#include "base/result.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/view/view.hpp"

namespace meridian::io {
class BlockingPool;
}

namespace meridian::agent {

class Engines {
 public:
  // Calls `changed` when the status changes.
  Engines(const Context& context, Metrics& metrics, std::function<void()> changed);
  ~Engines();

  // Starts both in `children`, where they run until Stop; and the fiber that keeps their files in
  // `background`, until it is cancelled. Does nothing in a data center without engines. `roles`:
  // the tiers that run here; empty: all.
  void Start(io::Scope& children, io::Scope& background, std::set<std::string> roles = {});
  void Stop();
  // What the configurations depend on. Call it at every change and each second.
  void Observe(const site::SiteView& view, std::vector<ApplicationTarget> workers);

  // Whether the Alertmanager of this data center sends the notices that concern the whole site.
  bool owns_notices() const { return owner_.owns(); }
  // Null: there is none, or it is not ready.
  const EngineChild* Ready(std::string_view name) const;
  std::vector<TierStatus> Status() const;
  std::vector<pid_t> pids() const;

 private:
  struct Kept {
    std::unique_ptr<EngineChild> child;
    Gauge& ready;
    Counter& restarts;
    uint32_t counted_restarts = 0;
    std::string config = {};  // that it was started with or told to read; empty: not started
  };
  using Files = std::map<std::filesystem::path, std::string>;

  void Add(EngineChild::Options options);
  void OnChange();
  void OnNews();
  io::Task<void> Keep();
  io::Task<Result<void>> WriteFiles();
  Files MakeFiles() const;
  void StartOrReload(Kept& engine, bool all_written);
  NoticeOwner::Others OtherOwners(const site::SiteView& view) const;

  const Context& context_;
  Metrics& metrics_;
  std::function<void()> changed_;
  EnginePlace place_;
  ResolvedNotices notices_;
  std::filesystem::path rules_;
  std::set<std::string> roles_;
  NoticeOwner owner_;
  std::vector<ApplicationTarget> targets_;
  bool alertmanager_is_ready_ = false;
  std::vector<Kept> engines_;
  Files written_;      // what the files hold
  bool dirty_ = true;  // the files are not what they should be
  io::WaitQueue wake_;
  RecurringProblem problem_;
  std::unique_ptr<io::BlockingPool> pool_;  // where there are engines
  Gauge* owner_gauge_ = nullptr;
};

}  // namespace meridian::agent
