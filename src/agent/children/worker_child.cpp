#include "agent/children/worker_child.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include <fmt/core.h>

#include "agent/children/instance_port.hpp"
#include "agent/context.hpp"
#include "agent/logs/log_forwarder.hpp"
#include "agent/report/status.hpp"
#include "base/result.hpp"
#include "io/process.hpp"
#include "io/task.hpp"
#include "site/site.hpp"

namespace meridian::agent {

std::string WorkerId(const site::DataCenter& dc, const site::Worker& worker, uint32_t number) {
  return fmt::format("{}.{}-{}", dc.name, worker.name, number);
}

WorkerChild::WorkerChild(const Context& context, LogForwarder& logs, const site::Worker& worker,
                         uint32_t number, std::function<void()> changed)
    : context_(context),
      worker_(worker),
      number_(number),
      process_(context,
               {.id = WorkerId(context.here, worker, number),
                .log_field = "worker",
                .output = logs.AddSource({.tier = "worker",
                                          .name = worker.name,
                                          .instance = WorkerId(context.here, worker, number)}),
                .stop_timeout = worker.stop_timeout,
                .prepare = [this]() -> Result<io::ProcessOptions> { return Prepare(); },
                .attend = [](io::Process&) -> io::Task<void> { co_return; },
                .changed = std::move(changed)}) {}

Result<io::ProcessOptions> WorkerChild::Prepare() {
  io::ProcessOptions options{.command = worker_.command, .directory = worker_.directory.string()};
  options.environment.assign(worker_.environment.begin(), worker_.environment.end());
  options.environment.insert(options.environment.end(), {{"MERIDIAN_WORKER", worker_.name},
                                                         {"MERIDIAN_GROUP", worker_.group}});
  if (!worker_.metrics_path.empty()) {
    Result<uint16_t> port =
        FindInstancePort(WorkerSlot(context_, worker_, number_ - 1, process_.restarts()));
    if (!port) return Fail(std::move(port.error()));
    port_ = *port;
    options.environment.insert(options.environment.end(), {{"HOST", kApplicationAddress.ToString()},
                                                           {"PORT", fmt::format("{}", port_)}});
  }
  if (!worker_.topic.empty()) options.environment.emplace_back("MERIDIAN_TOPIC", worker_.topic);
  auto own = context_.worker_variables.find(worker_.name);
  if (own != context_.worker_variables.end()) {
    options.environment.insert(options.environment.end(), own->second.begin(), own->second.end());
  }
  return options;
}

WorkerStatus WorkerChild::Status() const {
  std::string loop = process_.CrashLoop();
  WorkerStatus status{.id = id(),
                      .worker = worker_.name,
                      .topic = worker_.topic,
                      .state = !loop.empty() ? "failing"
                               : pid() != 0  ? "running"
                                             : "down",
                      .pid = pid(),
                      .restarts = restarts(),
                      .problem = std::move(loop)};
  if (status.problem.empty() && pid() == 0 && !process_.problem().empty()) {
    status.problem = "ended: " + process_.problem();
  }
  return status;
}

}  // namespace meridian::agent
