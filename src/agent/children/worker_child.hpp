// A child process of a worker ([worker.NAME]). It has no port, so that nothing can be asked of it:
// it counts as well as long as it runs.
//
// Owned by Workers; one thread: the agent's loop.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <sys/types.h>

#include "agent/children/application_process.hpp"
#include "agent/context.hpp"
#include "agent/report/status.hpp"
#include "base/result.hpp"
#include "io/process.hpp"
#include "io/task.hpp"
#include "site/site.hpp"

namespace meridian::agent {

// "us-east.thumbnail-1": a dot is in no data center's name, so that no instance has this id.
class LogForwarder;

std::string WorkerId(const site::DataCenter& dc, const site::Worker& worker, uint32_t number);

class WorkerChild {
 public:
  // `number` counts from 1. Calls `changed` after each start and each end of the process.
  WorkerChild(const Context& context, LogForwarder& logs, const site::Worker& worker,
              uint32_t number, std::function<void()> changed);

  io::Task<void> Run() { return process_.Run(); }
  void Stop() { process_.Stop(); }
  void Restart() { process_.Restart(); }

  const std::string& id() const { return process_.id(); }
  const site::Worker& worker() const { return worker_; }
  // Where its process serves metrics; 0: it has none.
  uint16_t port() const { return port_; }
  pid_t pid() const { return process_.pid(); }
  uint32_t restarts() const { return process_.restarts(); }
  WorkerStatus Status() const;

 private:
  Result<io::ProcessOptions> Prepare();

  const Context& context_;
  const site::Worker& worker_;
  uint32_t number_;
  uint16_t port_ = 0;
  ApplicationProcess process_;
};

}  // namespace meridian::agent
