// A child process that is an instance of the application: gives it a port of its own, waits for its
// health path, and watches it.
//
// Owned by the agent; one thread: the agent's loop.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/children/application_process.hpp"
#include "agent/context.hpp"
#include "http/client/client.hpp"
#include "site/view/view.hpp"

namespace meridian::agent {

class LogForwarder;

class InstanceChild {
 public:
  // `number` counts from 1. Calls `changed` when the view or problem changes.
  InstanceChild(const Context& context, LogForwarder& logs, uint32_t number,
                std::function<void()> changed);

  io::Task<void> Run() { return process_.Run(); }
  void Stop();
  // Marks it as draining in its view, so that it gets no further request. False: it is not in
  // service.
  bool Leave();
  // Call after Leave: stops the process in good order, and starts it again.
  void Restart();
  // Restarts an unhealthy instance without waiting for its requests.
  void Replace();

  site::InstanceView view() const;
  const std::string& id() const { return process_.id(); }
  pid_t pid() const { return process_.pid(); }
  // Number of starts after the first.
  uint32_t restarts() const { return process_.restarts(); }
  bool healthy() const { return state_ == site::InstanceState::kHealthy; }
  // True if it could not be run, ended, or was not healthy in time, before it was ever healthy.
  bool failed_to_start() const { return !ever_healthy_ && failures_ > 0; }
  // For people: what its start waits for.
  std::string WaitsFor() const;
  // For people: its problem; empty: none.
  std::string Condition() const;
  // Why it ended last, with the last lines of its output; may have several lines.
  const std::string& problem() const { return process_.problem(); }

 private:
  Result<io::ProcessOptions> Prepare();
  io::Task<void> Watch(io::Process& process);
  void CheckAddress();
  io::Task<Result<void>> AwaitHealth(http::Client& client);
  std::string OtherPort() const;
  void SetState(site::InstanceState state);
  void OnProcessChanged();

  const Context& context_;
  uint32_t number_;
  std::function<void()> changed_;
  uint16_t port_ = 0;
  std::string last_answer_;  // answer of its health path while it starts
  site::InstanceState state_ = site::InstanceState::kStarting;
  bool ever_healthy_ = false;
  bool stopping_ = false;
  bool leaving_ = false;
  bool exposed_ = false;
  uint32_t failures_ = 0;
  ApplicationProcess process_;
};

}  // namespace meridian::agent
