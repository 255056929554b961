// SupervisedChild: keeps a child process running. It restarts the child each time it ends (at once,
// then with backoff), until Stop. The agent uses it for tiers and application instances.
//
// One thread: the owner's loop. Run is one fiber; it returns only after Stop, when the process has
// ended.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <signal.h>
#include <sys/types.h>

#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/process.hpp"
#include "io/wait_queue.hpp"
#include "proc/backoff.hpp"

namespace meridian::proc {

class SupervisedChild {
 public:
  struct Options {
    std::string name;  // for the log
    int stop_signal = SIGTERM;
    Duration stop_timeout;  // from stop_signal to SIGKILL
    // Gives the command to run; called before each start.
    std::function<Result<io::ProcessOptions>()> prepare;
    // Runs beside each process and is cancelled when the process ends.
    std::function<io::Task<void>(io::Process&)> attend;
    // Reads the output of the process and ends when the output ends. May be empty.
    std::function<io::Task<void>()> output = {};
    // Gives the processes that the ended process (its former pid is the argument) left behind; they
    // are killed before the next start. May be empty.
    std::function<std::vector<pid_t>(pid_t)> left_behind = {};
    // Called after each start and after each end of a process.
    std::function<void()> changed;
  };

  SupervisedChild(io::EpollDriver& driver, io::Loop& loop, Options options);
  ~SupervisedChild();

  io::Task<void> Run();

  // Ends the process by its stop signal, and after stop_timeout by SIGKILL. It is not restarted.
  void Stop();
  // Ends the process in the same way, then restarts it at once. Does nothing while no process runs.
  void Restart();

  // Kills the process at once; `why` becomes problem(). It is restarted as after any other end.
  void Kill(std::string why);

  // 0 while no process runs.
  pid_t pid() const { return process_ ? process_->pid() : 0; }
  // Whether the present process, or the last one, was asked to end.
  bool asked() const { return asked_; }
  // Number of starts after the first.
  uint32_t restarts() const { return restarts_; }
  // For people: the number of ends in a row soon after a start, and the last reason. Empty below
  // kCrashLoop ends, or while the process runs well.
  std::string CrashLoop() const;
  // The reason why the last process ended or could not start; empty before that.
  const std::string& problem() const { return problem_; }
  // Sets the reason for the end of the present process, for code that ends it and knows more than
  // its exit status.
  void Explain(std::string problem) { explanation_ = std::move(problem); }

 private:
  io::Task<void> RunOnce();
  void AskToEnd();
  io::Task<void> KillAfterTimeout(uint32_t run);
  io::Task<void> EndLeftBehind(pid_t ended);
  static io::Task<void> JoinOutput(io::Scope& output) { co_await output.Join(); }

  io::EpollDriver& driver_;
  io::Loop& loop_;
  Options options_;
  Backoff backoff_;
  std::unique_ptr<io::Process> process_;
  bool stopping_ = false;
  bool asked_ = false;  // the present process was asked to end
  io::WaitQueue stop_;
  io::Scope killer_;
  uint32_t restarts_ = 0;
  uint32_t crashes_ = 0;  // ends in a row, each within Backoff::kGoodRun of its start
  TimePoint began_{};     // start of the present or last run
  std::string problem_;
  std::string explanation_;
};

}  // namespace meridian::proc
