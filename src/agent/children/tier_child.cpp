#include "agent/children/tier_child.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/socket.h>

#include "agent/context.hpp"
#include "agent/limits.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "http/client/client.hpp"
#include "http/client/fetch.hpp"
#include "io/descendants.hpp"
#include "io/fd.hpp"
#include "io/process.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/limits.hpp"
#include "site/tier/control.hpp"
#include "site/tier/internal_fields.hpp"
#include "site/tier/tier_process.hpp"

namespace meridian::agent {
namespace {

constexpr size_t kReportPiece = 4096;

}  // namespace

TierChild::TierChild(const Context& context, TierSpec spec, std::function<void()> changed)
    : context_(context),
      spec_(std::move(spec)),
      changed_(std::move(changed)),
      child_(context.driver, context.loop,
             {.name = spec_.name,
              .stop_signal = SIGINT,  // no process follows, so clients get no time to move over
              .stop_timeout = kTierStopTimeout,
              .prepare = [this] { return Prepare(); },
              .attend = [this](io::Process& process) { return Attend(process); },
              .output = [this] { return ReadReports(); },
              .changed =
                  [this] {
                    report_ = {};
                    hang_.reset();
                    debugged_ = false;
                    changed_();
                  }}) {}

std::filesystem::path TierChild::LogPath() const {
  return context_.state_directory / "logs" / context_.here.name / (spec_.name + ".log");
}

Result<io::ProcessOptions> TierChild::Prepare() {
  std::array<int, 2> pair{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return FailErrno(errno, "socketpair");
  }
  control_ = context_.network.Adopt(io::Fd(pair[0]));
  control_there_ = io::Fd(pair[1]);
  std::filesystem::path log_path = LogPath();
  log_ = io::Fd(::open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!log_) return FailErrno(errno, log_path.string());

  site::TierStart start{.tier = spec_.name,
                        .data_center = context_.here.name,
                        .site_file = context_.site.file,
                        .state_directory = context_.state_directory,
                        .hosting = context_.hosting,
                        .control_fd = site::kControlFd};
  io::ProcessOptions options{
      .descriptors = {{1, log_.get()}, {2, log_.get()}, {site::kControlFd, control_there_.get()}}};
  int fd = site::kControlFd;
  for (const TierSpec::Socket& socket : spec_.sockets) {
    start.sockets[socket.name] = ++fd;
    options.descriptors.emplace_back(fd, socket.fd.get());
  }
  options.command = site::TierCommand(context_.program, start);
  return options;
}

io::Task<void> TierChild::ReadReports() {
  control_there_.Reset();
  log_.Reset();
  site::LineSplitter splitter(site::kMaxReportBytes);
  std::array<uint8_t, kReportPiece> piece{};
  for (;;) {
    Result<size_t> got = co_await control_->Read(piece);
    if (!got || *got == 0) co_return;
    std::string_view input = AsText({piece.data(), *got});
    for (;;) {
      auto line = splitter.Take(&input);
      Result<site::TierReport> report =
          line && *line ? site::DecodeReport(**line) : Result<site::TierReport>(report_);
      if (!line || !report) {
        LOG_ERROR("a tier's report cannot be read", {"tier", spec_.name},
                  {"problem", (line ? report.error() : line.error()).message});
        co_return;
      }
      if (!*line) break;
      report_ = *report;
      // A tier that cannot start logs why, and ends.
      if (!report_.ready && !report_.detail.empty()) child_.Explain(report_.detail);
      changed_();
    }
  }
}

io::Task<void> TierChild::Attend(io::Process& process) {
  io::Scope writing(context_.loop);
  writing.Spawn(WriteViews());
  co_await Probe(process);
  writing.Cancel();
  co_await writing.Join();
}

// Only a timeout is a miss: a refused or reset connection was answered by the tier, or failed here
// because no descriptor was free.
io::Task<void> TierChild::Probe(io::Process& process) {
  http::Client client(context_.loop, context_.network, {.address = spec_.ops});
  hang_.emplace(context_.site.agent.hung_timeout, context_.loop.Now());
  TimePoint next = context_.loop.Now();
  do {
    http::Request request{.path = site::kReadyPath, .host = context_.site.domain};
    auto answer =
        co_await http::Fetch(client, request, kMaxHealthBody, context_.loop.After(kProbeTimeout));
    bool was_hung = hung();
    if (!answer && answer.error().code == Errc::kCancelled) co_return;
    if (!answer && answer.error().code == Errc::kTimeout) {
      hang_->OnMiss(context_.loop.Now());
    } else {
      hang_->OnAnswer(context_.loop.Now());
    }
    OnProbed(process, was_hung);
    next = std::max(SaturatingAdd(next, kProbeInterval), context_.loop.Now());
  } while (co_await io::SleepUntil(next));
}

void TierChild::OnProbed(const io::Process& process, bool was_hung) {
  if (hung() != was_hung) {
    if (hung()) {
      LOG_ERROR("a tier hangs", {"tier", spec_.name}, {"silent_s", Seconds(hang_->silence())});
    } else {
      LOG_INFO("a tier answers again", {"tier", spec_.name});
    }
    changed_();
  }
  if (!hang_->overdue()) {
    debugged_ = false;
    return;
  }
  bool first = !std::exchange(debugged_, io::IsTraced(process.pid()));
  if (!debugged_) {
    child_.Kill(fmt::format("it hung: no answer at {} for {:.0f} s", spec_.ops.ToString(),
                            Seconds(hang_->silence())));
  } else if (first) {
    LOG_WARNING("a hung tier is not killed: a debugger is attached", {"tier", spec_.name});
    changed_();
  }
}

std::string TierChild::Condition() const {
  if (std::string loop = child_.CrashLoop(); !loop.empty()) {
    return fmt::format("{}; its log is {}", loop, LogPath().string());
  }
  if (!hung()) return report_.ready ? report_.detail : child_.problem();
  std::string text =
      fmt::format("no answer at {} for over {:.0f} s", spec_.ops.ToString(), Seconds(kHungAfter));
  if (debugged_) return text + "; not killed while a debugger is attached";
  return text + fmt::format("; killed and started again after {:g} s ([agent] hung_timeout)",
                            Seconds(context_.site.agent.hung_timeout));
}

io::Task<void> TierChild::WriteViews() {
  std::shared_ptr<const std::string> sent;
  for (;;) {
    while (view_line_ == sent) {
      if (!co_await view_changed_.Wait()) co_return;
    }
    sent = view_line_;
    if (!co_await control_->Write(AsBytes(*sent))) co_return;
  }
}

void TierChild::SendView(std::shared_ptr<const std::string> line) {
  view_line_ = std::move(line);
  view_changed_.WakeAll();
}

}  // namespace meridian::agent
