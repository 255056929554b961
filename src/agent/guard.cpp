#include "agent/guard.hpp"

#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/log.hpp"
#include "base/result.hpp"
#include "io/descendants.hpp"
#include "io/epoll.hpp"
#include "io/fd.hpp"
#include "io/fiber.hpp"
#include "io/file/file.hpp"
#include "io/loop.hpp"
#include "io/process.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"

namespace meridian::agent {
namespace {

constexpr mode_t kPidFileMode = 0600;
constexpr int kSignalStatus = 128;  // added to the signal's number, as shells do

// Forwards signals until cancelled.
io::Task<void> PassSignals(io::Signals& signals, io::Process& agent) {
  for (;;) {
    Result<int> number = co_await signals.Next();
    if (!number) co_return;
    switch (*number) {
      case SIGCHLD:
        io::ReapOrphans({agent.pid()});
        break;
      case SIGHUP:
        LOG_INFO(io::kHangupIgnored);
        break;
      case SIGQUIT:
        agent.Signal(SIGKILL);
        break;
      default:
        agent.Signal(SIGTERM);
    }
  }
}

io::Task<io::ExitStatus> Guard(io::Signals& signals, io::Process& agent) {
  io::Fiber& fiber = co_await io::ThisFiber{};
  io::Scope scope(fiber.loop());
  scope.Spawn(PassSignals(signals, agent));
  Result<io::ExitStatus> status = co_await agent.Wait();
  scope.Cancel();
  co_await scope.Join();
  co_return status.value_or(io::ExitStatus{.signal = SIGKILL});
}

}  // namespace

Result<int> RunGuard(const GuardOptions& options) {
  io::BecomeSubreaper();
  std::array<int, 2> lifeline{};
  if (pipe2(lifeline.data(), O_CLOEXEC) != 0) return FailErrno(errno, "pipe");
  io::Fd agents_end(lifeline[0]);
  io::Fd our_end(lifeline[1]);
  io::EpollDriver driver;
  io::Loop loop(driver);
  io::Signals signals(driver, {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGCHLD});
  io::ProcessOptions process{.command = options.agent_command,
                             .descriptors = options.descriptors,
                             .new_group = true,
                             .die_with_parent = false};
  process.descriptors.emplace_back(kLifelineFd, agents_end.get());
  auto agent = io::Process::Start(driver, process);
  if (!agent) return Fail(std::move(agent.error()));
  agents_end.Reset();
  std::string pids = fmt::format("guard {}\nagent {}\n", getpid(), (*agent)->pid());
  Result<void> written = io::WriteFileAtomically(options.pid_file, pids, kPidFileMode);
  if (!written) LOG_WARNING("the pid file is not written", {"problem", written.error().message});
  io::ExitStatus status = loop.RunToEnd(Guard(signals, **agent));
  agent->reset();
  if (!io::KillDescendants(kKillTimeout)) LOG_ERROR("some processes survive SIGKILL");
  unlink(options.pid_file.c_str());
  return status.signal == 0 ? status.code : kSignalStatus + status.signal;
}

}  // namespace meridian::agent
