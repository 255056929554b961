// SupervisedChild: a child process that is kept running. It is started again each time it ends (at
// once, then with backoff), until Stop. The agent's tiers and application instances are such.
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
    Duration stop_timeout;  // from that to SIGKILL
    // What to run; called before each start.
    std::function<Result<io::ProcessOptions>()> prepare;
    // Runs beside each process, and is cancelled when it ends.
    std::function<io::Task<void>(io::Process&)> attend;
    // Reads what the process prints; ends by itself when the output does. May be empty.
    std::function<io::Task<void>()> output = {};
    // What the process that ended (its former pid is given) has left behind: it is killed before
    // the next start. May be empty.
    std::function<std::vector<pid_t>(pid_t)> left_behind = {};
    // Called when a process has started, and when one has ended.
    std::function<void()> changed;
  };

  SupervisedChild(io::EpollDriver& driver, io::Loop& loop, Options options);
  ~SupervisedChild();

  io::Task<void> Run();

  // Asks it to end in good order (by its stop signal), and later less kindly. No start comes after.
  void Stop();
  // The same, and then it is started again at once. Nothing while no process runs.
  void Restart();

  // Ends it at once, and explains why; it is started again as after any other end.
  void Kill(std::string why);

  // 0 while no process runs.
  pid_t pid() const { return process_ ? process_->pid() : 0; }
  // Whether the process that runs, or ended last, was asked to end.
  bool asked() const { return asked_; }
  // How often a process was started after the first.
  uint32_t restarts() const { return restarts_; }
  // For people: how often it has ended in a row soon after its start, and why; empty while that is
  // fewer than kCrashLoop times, or the process runs well.
  std::string CrashLoop() const;
  // Why the last process that ended did, or could not start; empty before that.
  const std::string& problem() const { return problem_; }
  // For who ends the process that runs now, and knows better than its exit status why.
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
  bool asked_ = false;  // the process that runs, to end
  io::WaitQueue stop_;
  io::Scope killer_;
  uint32_t restarts_ = 0;
  uint32_t crashes_ = 0;  // in a row, each within Backoff::kGoodRun of its start
  TimePoint began_{};     // the run that is, or was last
  std::string problem_;
  std::string explanation_;
};

}  // namespace meridian::proc
