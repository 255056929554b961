// A child process that is an instance of the application: starts it with a port of its own, waits
// for its health path, watches it, and restarts it when it ends. Its output goes to the log line by
// line.
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
  // `number` counts from 1. Calls `changed` when the view or problem changes.
  InstanceChild(const Context& context, uint32_t number, std::function<void()> changed);

  io::Task<void> Run() { return child_.Run(); }
  void Stop();
  // Marks it as draining in its view, so that it gets no further request. False: it is not in
  // service.
  bool Leave();
  // Call after Leave: stops the process in good order, and starts it again.
  void Restart();
  // Restarts an unhealthy instance without waiting for its requests.
  void Replace();

  site::InstanceView view() const;
  pid_t pid() const { return child_.pid(); }
  bool healthy() const { return state_ == site::InstanceState::kHealthy; }
  // True if it could not be run, ended, or was not healthy in time, before it was ever healthy.
  bool failed_to_start() const { return !ever_healthy_ && failures_ > 0; }
  // For people: what its start waits for.
  std::string WaitsFor() const;
  // For people: its problem; empty: none.
  std::string Condition() const;
  // Why it ended last, with the last lines of its output; may have several lines.
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
  std::string last_answer_;  // answer of its health path while it starts
  std::string last_words_;   // last output of the process that ended last
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
