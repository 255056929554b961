#include "agent/engines/engine_child.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#include "agent/context.hpp"
#include "agent/engines/engine_access.hpp"
#include "agent/engines/engine_program.hpp"
#include "agent/engines/engine_reload.hpp"
#include "agent/limits.hpp"
#include "agent/report/port_problem.hpp"
#include "agent/report/status.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/log.hpp"
#include "base/log_file.hpp"
#include "base/result.hpp"
#include "http/client/client.hpp"
#include "http/client/fetch.hpp"
#include "io/descendants.hpp"
#include "io/fd.hpp"
#include "io/net/socket.hpp"
#include "io/port_owner.hpp"
#include "io/process.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "proc/line_capture.hpp"
#include "site/trust/bearer.hpp"
#include "wire/http/message.hpp"

namespace meridian::agent {
namespace {

constexpr size_t kMaxShownLine = 400;

bool ListensAtPort(pid_t pid, const Endpoint& at) { return io::ListensAt(std::array{pid}) == at; }

}  // namespace

EngineChild::EngineChild(const Context& context, Options options)
    : context_(context),
      options_(std::move(options)),
      secrets_(options_.secrets),
      quota_({.bytes_per_second = kEngineLogBytesPerSecond, .burst_bytes = kEngineLogBurstBytes}),
      child_(context.driver, context.loop,
             {.name = options_.name,
              .stop_timeout = kEngineStopTimeout,
              .prepare = [this] { return Prepare(); },
              .attend = [this](io::Process& process) { return Attend(process); },
              .output = [this] { return CaptureOutput(); },
              .changed = [this] { OnProcessChanged(); }}) {}

std::filesystem::path EngineChild::LogPath() const {
  return context_.state_directory / "logs" / context_.here.name / (options_.name + ".log");
}

void EngineChild::LookForProgram() {
  const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  program_ = FindProgram(options_.programs, path == nullptr ? "" : path);
  if (program_.has_value() != missing_) return;
  missing_ = !program_;
  if (missing_) {
    LOG_WARNING("an engine is not installed", {"engine", options_.name},
                {"package", options_.package});
  }
  options_.changed();
}

io::Task<void> EngineChild::Run() {
  while (!stopping_) {
    if (!program_) LookForProgram();
    if (begun_ && program_) break;
    Result<void> waited = co_await wake_.Wait(context_.loop.After(kEngineRetryInterval));
    if (!waited && waited.error().code != Errc::kTimeout) co_return;
  }
  if (!stopping_) co_await child_.Run();
}

void EngineChild::Begin() {
  begun_ = true;
  wake_.WakeAll();
}

void EngineChild::Stop() {
  stopping_ = true;
  wake_.WakeAll();
  child_.Stop();
}

void EngineChild::Reload() {
  reload_ = pid() != 0;  // a process that is started later reads the new files
  if (process_ == nullptr || !ready_) return;
  // Before the signal, which it may obey at once.
  reload_since_ = Seconds(SystemClock().Wall().time_since_epoch());
  process_->Signal(SIGHUP);
  reload_ = false;
  reload_checks_ = kMaxReloadChecks;
}

void EngineChild::SetProblem(std::string problem) {
  if (given_problem_ == problem) return;
  given_problem_ = std::move(problem);
  options_.changed();
}

Result<io::ProcessOptions> EngineChild::Prepare() {
  if (!last_line_.empty()) last_words_ = std::exchange(last_line_, "");
  LookForProgram();  // it may have been removed, or be elsewhere now
  if (!program_) return Fail(Errc::kNotFound, "{} is not installed", options_.name);
  // The engine itself would only say that the port is in use, not by whom.
  Result<io::Fd> probe = io::OpenListeningSocket(options_.at, {});
  if (!probe) {
    return Fail(PortProblem({.at = options_.at, .owner = options_.name, .table = "[watch]"},
                            probe.error()));
  }
  probe->Reset();
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return FailErrno(errno, "pipe");
  output_here_ = io::Fd(ends[0]);
  output_there_ = io::Fd(ends[1]);
  reload_ = false;
  io::ProcessOptions options{.command = {*program_}, .directory = options_.directory.string()};
  options.command.insert(options.command.end(), options_.arguments.begin(),
                         options_.arguments.end());
  options.descriptors = {{1, output_there_.get()}, {2, output_there_.get()}};
  return options;
}

io::Task<void> EngineChild::CaptureOutput() {
  output_there_.Reset();
  if (!log_) {
    auto log = LogFile::Open(
        {.path = LogPath().string(), .max_bytes = kMaxEngineLogBytes, .max_rotated_files = 1});
    if (log) log_ = std::move(*log);
    if (!log) {
      LOG_WARNING("the log of an engine cannot be written", {"engine", options_.name},
                  {"problem", log.error().message});
    }
  }
  co_await proc::CaptureLines(
      context_.network.Adopt(std::move(output_here_)),
      {.bytes = [](std::string_view) {}, .line = [this](std::string_view line) { OnLine(line); }});
}

void EngineChild::OnLine(std::string_view printed) {
  const std::string line = secrets_.Hide(printed);
  last_line_ = line.substr(0, kMaxShownLine);
  if (!quota_.Take(line.size() + 1, context_.loop.Now())) {
    ++dropped_lines_;
    return;
  }
  if (dropped_lines_ > 0) {
    LOG_WARNING("output of an engine dropped: it prints too much", {"engine", options_.name},
                {"lines", dropped_lines_});
    dropped_lines_ = 0;
  }
  // A full disk loses lines of this log, and stops nothing.
  if (log_) (void)log_->Write(line + "\n");
}

std::string EngineChild::authorization() const {
  return site::BasicOf(kEngineUser, options_.password);
}

io::Task<Result<http::Fetched>> EngineChild::Get(http::Client& client, const std::string& path,
                                                 size_t max_body_bytes) {
  const std::string basic = authorization();
  const wire::http::HeaderField authorization{"Authorization", basic};
  const http::Request request{.path = path, .host = options_.name, .fields = {{&authorization, 1}}};
  co_return co_await http::Fetch(client, request, max_body_bytes,
                                 context_.loop.After(kProbeTimeout));
}

// Until the port is that of the process, another user's program could listen there and be shown the
// password.
io::Task<Result<bool>> EngineChild::AskReady(http::Client& client) {
  if (!listens_) listens_ = ListensAtPort(pid(), options_.at);
  if (!listens_) co_return Fail(Errc::kTimeout, "it does not listen yet");
  Result<http::Fetched> answer = co_await Get(client, options_.ready_path, kMaxHealthBody);
  if (!answer) co_return Fail(std::move(answer.error()));
  co_return answer->status == 200;
}

io::Task<void> EngineChild::CheckReload(http::Client& client) {
  --reload_checks_;
  const Result<http::Fetched> answer = co_await Get(client, options_.metrics_path, kMaxTierMetrics);
  if (!answer || answer->status != 200) co_return;
  const ReloadState state = ReadReload(options_.name, answer->body, reload_since_);
  if (state == ReloadState::kPending) co_return;
  if (state == ReloadState::kDone) reload_checks_ = 0;
  if (refused_ == (state == ReloadState::kRefused)) co_return;
  refused_ = !refused_;
  if (refused_) {
    LOG_ERROR("an engine refuses its configuration", {"engine", options_.name},
              {"printed_last", last_line_});
  }
  options_.changed();
}

io::Task<void> EngineChild::Attend(io::Process& process) {
  process_ = &process;
  http::Client client(context_.loop, context_.network, {.address = options_.at});
  hang_.emplace(context_.site.agent.hung_timeout, context_.loop.Now());
  TimePoint next = context_.loop.Now();
  do {
    Result<bool> ready = co_await AskReady(client);
    if (!ready && ready.error().code == Errc::kCancelled) break;
    OnAsked(process, ready);
    if (ready_ && reload_checks_ > 0) co_await CheckReload(client);
    const Duration interval = ready_     ? kProbeInterval
                              : listens_ ? kStartPollInterval
                                         : kEnginePortPollInterval;
    next = std::max(SaturatingAdd(next, interval), context_.loop.Now());
  } while (co_await io::SleepUntil(next));
  process_ = nullptr;
}

// Only a timeout is a miss, as of a tier. An engine that reads its files at its start answers that
// it is not ready yet, and is left alone.
void EngineChild::OnAsked(const io::Process& process, const Result<bool>& ready) {
  const bool was_ready = ready_;
  const bool was_hung = hung();
  if (!ready && ready.error().code == Errc::kTimeout) {
    hang_->OnMiss(context_.loop.Now());
  } else {
    hang_->OnAnswer(context_.loop.Now());
    ready_ = ready.value_or(false);
    if (ready_) last_words_.clear();
  }
  if (ready_ && reload_) Reload();
  if (hung() && !was_hung) {
    LOG_ERROR("an engine hangs", {"engine", options_.name},
              {"silent_s", Seconds(hang_->silence())});
  }
  if (ready_ != was_ready || hung() != was_hung) options_.changed();
  if (hang_->overdue() && !io::IsTraced(process.pid())) {
    child_.Kill(fmt::format("it hung: no answer at {} for {:.0f} s", options_.at.ToString(),
                            Seconds(hang_->silence())));
  }
}

void EngineChild::OnProcessChanged() {
  ready_ = listens_ = refused_ = false;
  reload_checks_ = 0;
  hang_.reset();
  if (pid() == 0) {
    end_problem_ = child_.asked() ? "" : child_.problem();
    if (!end_problem_.empty() && !last_line_.empty()) {
      end_problem_ += "; it printed last: " + last_line_;
    }
  }
  options_.changed();
}

std::string EngineChild::Condition() const {
  if (missing_) {
    return fmt::format("{} is not installed: apt-get install {}", options_.name, options_.package);
  }
  if (std::string loop = child_.CrashLoop(); !loop.empty()) {
    const std::string& line = last_line_.empty() ? last_words_ : last_line_;
    const std::string last = line.empty() ? "" : "; it printed last: " + line;
    return fmt::format("{}{}; its log is {}", loop, last, LogPath().string());
  }
  if (hung()) {
    return fmt::format(
        "no answer at {} for over {:.0f} s; killed and started again after {:g} s "
        "([agent] hung_timeout)",
        options_.at.ToString(), Seconds(kHungAfter), Seconds(context_.site.agent.hung_timeout));
  }
  if (refused_) {
    return fmt::format(
        "it refuses its new configuration, and runs with the one before; it printed last: {}; "
        "its log is {}",
        last_line_, LogPath().string());
  }
  if (!given_problem_.empty()) return given_problem_;
  return ready_ ? "" : end_problem_;
}

TierStatus EngineChild::Status() const {
  const char* state = hung() ? "hung" : ready_ ? "ready" : pid() != 0 ? "starting" : "down";
  return {.name = options_.name,
          .state = state,
          .pid = pid(),
          .port = options_.at.port,
          .problem = Condition()};
}

}  // namespace meridian::agent
