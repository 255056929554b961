// A process of the team's own program: an instance of the application, or a worker. It is started
// with the environment that both have, its output goes to the log line by line with its id and to
// the watch tier as it is, its last lines are kept to explain its end, and it is restarted when it
// ends. Output past a quota is counted, and goes nowhere.
//
// Owned by an InstanceChild or a WorkerChild; one thread: the agent's loop.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "agent/context.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/fd.hpp"
#include "io/process.hpp"
#include "io/task.hpp"
#include "proc/intake_quota.hpp"
#include "proc/supervised_child.hpp"

namespace meridian::agent {

class OutputSource;

class ApplicationProcess {
 public:
  struct Options {
    std::string id;         // "us-east-1"; unique in the site
    std::string log_field;  // of the id in the log: "instance", "worker"
    OutputSource& output;   // to the watch tier; outlives it
    Duration stop_timeout;
    // Gives command, directory and the variables that this kind of process has; called before each
    // start.
    std::function<Result<io::ProcessOptions>()> prepare;
    // Runs beside each process and is cancelled when the process ends.
    std::function<io::Task<void>(io::Process&)> attend;
    // Called after each start and after each end of a process.
    std::function<void()> changed;
  };

  ApplicationProcess(const Context& context, Options options);

  io::Task<void> Run() { return child_.Run(); }
  void Stop() { child_.Stop(); }
  void Restart() { child_.Restart(); }
  // See SupervisedChild.
  void Explain(std::string problem) { child_.Explain(std::move(problem)); }

  const std::string& id() const { return options_.id; }
  pid_t pid() const { return child_.pid(); }
  uint32_t restarts() const { return child_.restarts(); }
  // Why it ended last, with the last lines of its output; may have several lines. Empty: it was
  // asked to end, or has not ended, or ForgetProblem was called.
  const std::string& problem() const { return problem_; }
  void ForgetProblem() { problem_.clear(); }
  // For people: the number of ends in a row, the last reason, and the last line that it printed.
  // Empty: it is not in a crash loop.
  std::string CrashLoop() const;

 private:
  Result<io::ProcessOptions> Prepare();
  io::Task<void> CaptureOutput();
  void OnOutput(std::string_view bytes);
  void OnLine(std::string_view line);
  void TellDropped();
  void OnChanged();

  const Context& context_;
  Options options_;
  io::Fd output_here_;
  io::Fd output_there_;
  proc::IntakeQuota quota_{proc::IntakeLimits{}};
  bool within_quota_ = true;     // the bytes of the last read
  uint64_t dropped_bytes_ = 0;   // that the log has not told of yet
  TimePoint dropped_told_ = {};  // when it did last
  std::deque<std::string> last_lines_;
  std::string last_words_;  // last output of the process that ended last
  std::string problem_;
  proc::SupervisedChild child_;
};

}  // namespace meridian::agent
