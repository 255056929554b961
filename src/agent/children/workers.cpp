#include "agent/children/workers.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "agent/children/application_target.hpp"
#include "agent/children/instance_port.hpp"
#include "agent/children/worker_child.hpp"
#include "agent/context.hpp"
#include "agent/report/status.hpp"
#include "base/metrics.hpp"
#include "io/scope.hpp"
#include "site/site.hpp"

namespace meridian::agent {

Workers::Workers(const Context& context, LogForwarder& logs, Metrics& metrics,
                 std::function<void()> changed)
    : context_(context), logs_(logs), metrics_(metrics), changed_(std::move(changed)) {}

void Workers::Start(io::Scope& scope) {
  for (const site::Worker& worker : context_.site.workers) {
    Group& group = groups_.emplace_back(Group{
        .running = metrics_.AddGauge("meridian_agent_workers_running",
                                     "Processes of a worker that run.", {{"worker", worker.name}}),
        .restarts = metrics_.AddCounter("meridian_agent_worker_restarts_total",
                                        "Starts of a worker's processes after their first.",
                                        {{"worker", worker.name}})});
    for (uint32_t number = 1; number <= worker.instances; ++number) {
      group.children.push_back(
          std::make_unique<WorkerChild>(context_, logs_, worker, number, [this] { OnChange(); }));
    }
  }
  for (Group& group : groups_) {
    for (auto& child : group.children) scope.Spawn(child->Run());
  }
}

void Workers::Stop() {
  for (Group& group : groups_) {
    for (auto& child : group.children) child->Stop();
  }
}

void Workers::OnChange() {
  for (Group& group : groups_) {
    uint32_t running = 0;
    uint64_t restarts = 0;
    for (const auto& child : group.children) {
      running += child->pid() != 0 ? 1 : 0;
      restarts += child->restarts();
    }
    group.running.Set(running);
    group.restarts.Add(restarts - group.counted_restarts);
    group.counted_restarts = restarts;
  }
  changed_();
}

bool Workers::running() const {
  for (pid_t pid : pids()) {
    if (pid != 0) return true;
  }
  return false;
}

bool Workers::Restart(std::string_view id) {
  for (Group& group : groups_) {
    for (auto& child : group.children) {
      if (child->id() != id) continue;
      child->Restart();
      return true;
    }
  }
  return false;
}

std::vector<WorkerStatus> Workers::Status() const {
  std::vector<WorkerStatus> all;
  for (const Group& group : groups_) {
    for (const auto& child : group.children) all.push_back(child->Status());
  }
  return all;
}

std::vector<ApplicationTarget> Workers::Targets() const {
  std::vector<ApplicationTarget> all;
  for (const Group& group : groups_) {
    for (const auto& child : group.children) {
      if (child->pid() == 0 || child->port() == 0) continue;
      all.push_back({.at = {kApplicationAddress, child->port()},
                     .tier = "worker",
                     .instance = child->id(),
                     .release = context_.site.app.release,
                     .worker = child->worker().name,
                     .metrics_path = child->worker().metrics_path});
    }
  }
  return all;
}

std::vector<pid_t> Workers::pids() const {
  std::vector<pid_t> all;
  for (const Group& group : groups_) {
    for (const auto& child : group.children) all.push_back(child->pid());
  }
  return all;
}

}  // namespace meridian::agent
