// Workers: all worker processes of this data center, and their metrics. A worker serves no visitor,
// so none of them has a part in whether the data center starts or is available.
//
// Owned by the agent; one thread: the agent's loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "agent/children/application_target.hpp"
#include "agent/children/worker_child.hpp"
#include "agent/context.hpp"
#include "agent/report/status.hpp"
#include "base/metrics.hpp"
#include "io/scope.hpp"

namespace meridian::agent {

class LogForwarder;

class Workers {
 public:
  // `changed` is called after each start and each end of a process.
  Workers(const Context& context, LogForwarder& logs, Metrics& metrics,
          std::function<void()> changed);

  // Starts all of them; each runs in `scope` until Stop.
  void Start(io::Scope& scope);
  void Stop();
  // Whether a process of a worker runs.
  bool running() const;
  // Stops the process of this id in good order, and starts it again. False: there is none.
  bool Restart(std::string_view id);

  std::vector<WorkerStatus> Status() const;
  // The running processes of workers with metrics.
  std::vector<ApplicationTarget> Targets() const;
  std::vector<pid_t> pids() const;

 private:
  // Of one [worker.NAME].
  struct Group {
    Gauge& running;
    Counter& restarts;
    uint64_t counted_restarts = 0;
    std::vector<std::unique_ptr<WorkerChild>> children = {};
  };
  void OnChange();

  const Context& context_;
  LogForwarder& logs_;
  Metrics& metrics_;
  std::function<void()> changed_;
  std::vector<Group> groups_;
};

}  // namespace meridian::agent
