// One instance of the application: started with a port of its own, awaited by its health path,
// watched, and started again when it ends. What it prints goes line by line into the log.
//
// Owned by the agent; one thread: the agent's loop.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "agent/context.hpp"
#include "http/client/client.hpp"
#include "proc/supervised_child.hpp"
#include "site/view/view.hpp"

namespace meridian::agent {

class InstanceChild {
 public:
  // `number` counts from 1. `changed` is called when its view or problem has changed.
  InstanceChild(const Context& context, uint32_t number, std::function<void()> changed);

  io::Task<void> Run() { return child_.Run(); }
  void Stop();
  // Says in its view that it is to get no further request. False: it is not in service.
  bool Leave();
  // Of one that left: it ends in good order, and is started again.
  void Restart();
  // Restarts an unhealthy instance without waiting for its requests.
  void Replace();

  site::InstanceView view() const;
  pid_t pid() const { return child_.pid(); }
  bool healthy() const { return state_ == site::InstanceState::kHealthy; }
  // It could not be run, ended, or was not healthy in time, before it was ever healthy.
  bool failed_to_start() const { return !ever_healthy_ && failures_ > 0; }
  // For people: what is waited for until it is healthy.
  std::string WaitsFor() const;
  // For people: what is unusual of it; empty: nothing.
  std::string Condition() const;
  // Why it ended last, and what it had printed last; may have several lines.
  const std::string& problem() const { return problem_; }

 private:
  Result<io::ProcessOptions> Prepare();
  io::Task<void> CaptureOutput();
  io::Task<void> Watch(io::Process& process);
  void CheckAddress();
  io::Task<Result<void>> AwaitHealth(http::Client& client);
  std::string OtherPort() const;
  void SetState(site::InstanceState state);
  void OnLine(std::string_view line);
  void OnChildChanged();

  const Context& context_;
  std::string id_;
  uint32_t number_;
  std::function<void()> changed_;
  uint16_t port_ = 0;
  io::Fd output_here_;
  io::Fd output_there_;
  std::deque<std::string> last_lines_;
  std::string last_answer_;  // of its health path while it starts
  std::string last_words_;   // of the process that ended last
  site::InstanceState state_ = site::InstanceState::kStarting;
  bool ever_healthy_ = false;
  bool stopping_ = false;
  bool leaving_ = false;
  bool exposed_ = false;
  uint32_t failures_ = 0;
  std::string problem_;
  proc::SupervisedChild child_;
};

}  // namespace meridian::agent
