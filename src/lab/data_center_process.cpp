#include "lab/data_center_process.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include "agent/report/startup_report.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "io/epoll.hpp"
#include "io/fd.hpp"
#include "io/loop.hpp"
#include "io/net/socket.hpp"
#include "io/net/stream.hpp"
#include "io/process.hpp"
#include "io/task.hpp"
#include "lab/limits.hpp"

namespace meridian::lab {

DataCenterProcess::DataCenterProcess(io::EpollDriver& driver, io::Loop& loop,
                                     io::SystemNetwork& network, Options options,
                                     std::function<void()> clean_up,
                                     std::function<void(io::ExitStatus)> ended)
    : driver_(driver),
      loop_(loop),
      network_(network),
      options_(std::move(options)),
      clean_up_(std::move(clean_up)),
      ended_(std::move(ended)),
      scope_(loop) {}

DataCenterProcess::~DataCenterProcess() = default;

Result<std::unique_ptr<io::Stream>> DataCenterProcess::Launch() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return FailErrno(errno, "pipe");
  io::Fd reading(ends[0]);
  io::Fd writing(ends[1]);
  io::Fd log(::open(options_.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!log) return FailErrno(errno, options_.log.string());
  io::ProcessOptions options{
      .command = options_.command,
      .descriptors = {{1, log.get()}, {2, log.get()}, {agent::kReportFd, writing.get()}},
      .new_group = true};
  options.command.insert(options.command.end(),
                         {"--report-fd", fmt::format("{}", agent::kReportFd)});
  auto process = io::Process::Start(driver_, options);
  if (!process) return Fail(std::move(process.error()));
  process_ = std::move(*process);
  end_expected_ = false;
  scope_.Spawn(AwaitEnd());
  return network_.Adopt(std::move(reading));
}

io::Task<Result<void>> DataCenterProcess::Start() {
  if (running()) co_return Fail(Errc::kExists, "{} runs already", options_.name);
  auto reports = Launch();
  if (!reports) co_return Fail(std::move(reports.error()));
  Result<void> started = co_await AwaitReport(std::move(*reports));
  if (!started) co_await Kill();
  co_return started;
}

io::Task<Result<void>> DataCenterProcess::AwaitReport(std::unique_ptr<io::Stream> reports) {
  Buffer buffer(agent::kMaxStartupReportBytes);
  TimePoint deadline = loop_.After(kMaxStartTime);
  for (;;) {
    size_t newline = buffer.text().find('\n');
    if (newline == std::string_view::npos && !buffer.full()) {
      Result<size_t> got =
          co_await reports->Read(buffer.Prepare(agent::kMaxStartupReportBytes), deadline);
      if (!got || *got == 0) {
        co_return Fail(Errc::kUnavailable, "it ended before it could serve; its log is {}",
                       options_.log.string());
      }
      buffer.Commit(*got);
      continue;
    }
    std::string_view line = buffer.text().substr(0, newline);
    std::optional<std::string> waits_for = agent::DecodeWaitReport(line);
    if (!waits_for || buffer.full()) co_return agent::DecodeStartupReport(line);
    if (options_.waits_for) options_.waits_for(*std::move(waits_for));
    buffer.Consume(newline + 1);
  }
}

io::Task<void> DataCenterProcess::AwaitEnd() {
  Result<io::ExitStatus> status = co_await process_->Wait();
  process_.reset();
  unlink(options_.pid_file.c_str());
  clean_up_();
  not_running_.WakeAll();
  if (!end_expected_ && status) ended_(*status);
}

io::Task<void> DataCenterProcess::AwaitNotRunning() {
  // A cancelled fiber cannot wait; the destructor kills remaining processes.
  while (running() && co_await not_running_.Wait()) {
  }
}

io::Task<void> DataCenterProcess::Kill() {
  end_expected_ = true;
  if (!running()) {
    clean_up_();
    co_return;
  }
  process_->Signal(SIGQUIT);
  TimePoint deadline = loop_.After(kMaxKillTime);
  while (running() && co_await not_running_.Wait(deadline)) {
  }
  // A stopped guard cannot do it. After its death the lab becomes the parent of its descendants.
  if (running()) process_->Signal(SIGKILL);
  co_await AwaitNotRunning();
}

io::Task<void> DataCenterProcess::Stop() {
  end_expected_ = true;
  if (!running()) co_return;
  process_->Signal(SIGTERM);
  TimePoint deadline = loop_.After(options_.stop_timeout);
  while (running() && co_await not_running_.Wait(deadline)) {
  }
  if (running()) LOG_WARNING("did not end in time, killed", {"dc", options_.name});
  co_await Kill();
}

}  // namespace meridian::lab
