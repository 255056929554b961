#include "agent/children/application_process.hpp"

#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include "agent/context.hpp"
#include "agent/limits.hpp"
#include "agent/logs/log_forwarder.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "io/descendants.hpp"
#include "io/fd.hpp"
#include "io/process.hpp"
#include "io/task.hpp"
#include "proc/line_capture.hpp"

namespace meridian::agent {
namespace {

// Identifies the process, for the application and for Meridian.
constexpr const char* kInstanceVariable = "MERIDIAN_INSTANCE";
// Large enough that an application with much output is not blocked while the agent is stopped.
constexpr int kOutputPipeBytes = 1 << 20;

}  // namespace

ApplicationProcess::ApplicationProcess(const Context& context, Options options)
    : context_(context),
      options_(std::move(options)),
      child_(context.driver, context.loop,
             {.name = options_.id,
              .stop_timeout = options_.stop_timeout,
              .prepare = [this] { return Prepare(); },
              .attend = [this](io::Process& process) { return options_.attend(process); },
              .output = [this] { return CaptureOutput(); },
              .left_behind =
                  [this](pid_t ended) {
                    return io::LeftBehind(ended,
                                          std::string(kInstanceVariable) + "=" + options_.id);
                  },
              .changed = [this] { OnChanged(); }}) {}

Result<io::ProcessOptions> ApplicationProcess::Prepare() {
  Result<io::ProcessOptions> options = options_.prepare();
  if (!options) return options;
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return FailErrno(errno, "pipe");
  output_here_ = io::Fd(ends[0]);
  output_there_ = io::Fd(ends[1]);
  fcntl(ends[1], F_SETPIPE_SZ, kOutputPipeBytes);
  options->descriptors = {{1, output_there_.get()}, {2, output_there_.get()}};
  options->new_session = true;
  auto& environment = options->environment;
  // site.toml may override the services' variables, but not ours.
  environment.insert(environment.begin(), context_.service_variables.begin(),
                     context_.service_variables.end());
  environment.insert(environment.end(), {{"MERIDIAN_DC", context_.here.name},
                                         {kInstanceVariable, options_.id},
                                         {"MERIDIAN_RELEASE", context_.site.app.release}});
  return options;
}

io::Task<void> ApplicationProcess::CaptureOutput() {
  output_there_.Reset();
  last_lines_.clear();
  co_await proc::CaptureLines(context_.network.Adopt(std::move(output_here_)),
                              {.bytes = [this](std::string_view bytes) { OnOutput(bytes); },
                               .line = [this](std::string_view line) { OnLine(line); }});
  options_.output.End();
  TellDropped();
}

void ApplicationProcess::OnOutput(std::string_view bytes) {
  within_quota_ = quota_.Take(bytes.size(), context_.loop.Now());
  if (within_quota_) return options_.output.Append(bytes);
  options_.output.Drop(bytes);
  dropped_bytes_ += bytes.size();
  if (context_.loop.Now() - dropped_told_ >= kOutputDropLogInterval) TellDropped();
}

void ApplicationProcess::TellDropped() {
  if (dropped_bytes_ == 0) return;
  LOG_WARNING("output dropped: it prints too much", {options_.log_field, options_.id},
              {"bytes", dropped_bytes_},
              {"limit_bytes_per_second", quota_.limits().bytes_per_second});
  dropped_bytes_ = 0;
  dropped_told_ = context_.loop.Now();
}

void ApplicationProcess::OnLine(std::string_view line) {
  if (within_quota_) LOG_INFO("output", {options_.log_field, options_.id}, {"line", line});
  last_lines_.emplace_back(line);
  if (last_lines_.size() > kLastLines) last_lines_.pop_front();
}

void ApplicationProcess::OnChanged() {
  if (pid() == 0) {
    last_words_ = last_lines_.empty() ? "" : last_lines_.back();
    problem_ = child_.asked() ? "" : child_.problem();
    if (!last_lines_.empty() && !problem_.empty()) problem_ += "; it printed last:";
    if (!problem_.empty()) {
      for (const std::string& line : last_lines_) problem_ += "\n    " + line;
    }
  }
  options_.changed();
}

std::string ApplicationProcess::CrashLoop() const {
  std::string loop = child_.CrashLoop();
  if (loop.empty() || last_words_.empty()) return loop;
  return loop + "; it printed last: " + last_words_;
}

}  // namespace meridian::agent
