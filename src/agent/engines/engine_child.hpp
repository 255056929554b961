// A child process that runs an engine of the watch tier: Prometheus or Alertmanager. It serves no
// visitor, so that it has no part in whether the data center starts or is available.
//
// An engine binds its own port. It is asked, and shown the password, only while the port is known
// to be that of our process. Its output goes to logs/NAME/ENGINE.log, bounded in rate and size.
//
// Owned by Engines; one thread: the agent's loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "agent/children/hang_detector.hpp"
#include "agent/context.hpp"
#include "agent/engines/secret_filter.hpp"
#include "agent/report/status.hpp"
#include "base/ip.hpp"
#include "base/log_file.hpp"
#include "base/result.hpp"
#include "io/fd.hpp"
#include "io/process.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "proc/intake_quota.hpp"
#include "proc/supervised_child.hpp"
#include "site/secret.hpp"

namespace meridian::http {
class Client;
struct Fetched;
}  // namespace meridian::http

namespace meridian::agent {

class EngineChild {
 public:
  struct Options {
    std::string name;                   // "prometheus"
    std::vector<std::string> programs;  // its names on PATH, the first that is there
    std::string package;                // of Debian, for people
    std::vector<std::string> arguments;
    Endpoint at;                            // where it listens
    std::string ready_path;                 // 200 when it is ready
    std::string metrics_path;               // tells whether it took its configuration
    std::filesystem::path directory;        // the working directory
    std::function<void()> changed;          // called when the status changes
    site::Secret password = {};             // of its port
    std::vector<std::string> secrets = {};  // what of its output nobody is shown
  };

  EngineChild(const Context& context, Options options);

  // Runs until Stop. Starts nothing before Begin, and nothing while the program is not installed.
  io::Task<void> Run();
  // Its files are there.
  void Begin();
  void Stop();
  // Has it read its configuration again (SIGHUP), now or when it is ready. If it refuses that, the
  // status says so.
  void Reload();
  // A problem of its files, or of what it was told to do; empty: none.
  void SetProblem(std::string problem);

  const std::string& name() const { return options_.name; }
  const Endpoint& at() const { return options_.at; }
  // The value of the Authorization field for its port, to be shown only while it is ready.
  std::string authorization() const;
  pid_t pid() const { return child_.pid(); }
  bool ready() const { return ready_ && !hung(); }
  uint32_t restarts() const { return child_.restarts(); }
  TierStatus Status() const;

 private:
  bool hung() const { return hang_ && hang_->hung(); }
  std::filesystem::path LogPath() const;
  void LookForProgram();
  Result<io::ProcessOptions> Prepare();
  io::Task<void> CaptureOutput();
  void OnLine(std::string_view printed);
  io::Task<void> Attend(io::Process& process);
  io::Task<Result<http::Fetched>> Get(http::Client& client, const std::string& path,
                                      size_t max_body_bytes);
  io::Task<Result<bool>> AskReady(http::Client& client);
  io::Task<void> CheckReload(http::Client& client);
  void OnAsked(const io::Process& process, const Result<bool>& ready);
  void OnProcessChanged();
  std::string Condition() const;

  const Context& context_;
  Options options_;
  SecretFilter secrets_;
  std::optional<std::string> program_;
  bool missing_ = false;
  bool begun_ = false;
  bool stopping_ = false;
  io::WaitQueue wake_;
  io::Fd output_here_;
  io::Fd output_there_;
  std::unique_ptr<LogFile> log_;
  proc::IntakeQuota quota_;
  uint64_t dropped_lines_ = 0;
  std::string last_line_;           // of this process
  std::string last_words_;          // of the one before, if this one has not been ready
  io::Process* process_ = nullptr;  // while it is attended to
  bool listens_ = false;            // the port is that of the process
  bool ready_ = false;
  bool reload_ = false;               // when it is ready
  double reload_since_ = 0;           // Unix time of the last order to read its configuration
  uint32_t reload_checks_ = 0;        // left until it is known whether it obeyed
  bool refused_ = false;              // it runs with the configuration before the last
  std::optional<HangDetector> hang_;  // of the running process
  std::string given_problem_;
  std::string end_problem_;  // why it ended last
  proc::SupervisedChild child_;
};

}  // namespace meridian::agent
