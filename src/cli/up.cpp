// meridian up: every data center of a site on this machine.
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "cli/report/summary.hpp"
#include "cli/waiting.hpp"
#include "io/descendants.hpp"
#include "io/epoll.hpp"
#include "io/fiber.hpp"
#include "io/file/file_lock.hpp"
#include "io/loop.hpp"
#include "io/net/socket.hpp"
#include "io/process.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "lab/lab.hpp"
#include "lab/limits.hpp"
#include "site/site.hpp"
#include "site/state_dir.hpp"
#include "site/trust/ca.hpp"

namespace meridian::cli {
namespace {

struct Arguments {
  std::string site_file = "site.toml";
  std::string state_directory = ".meridian";
  bool detach = false;
};

// State that the lab needs before the first process starts, and its lock.
struct Prepared {
  site::StateDir state;
  io::FileLock lock;
};

Result<Prepared> Prepare(const site::Site& site, const Arguments& arguments) {
  auto state = site::StateDir::Create(arguments.state_directory);
  if (!state) return Fail(state.error());
  auto lock = state->Lock();
  if (!lock) {
    return Fail(lock.error().code,
                "{} is already up: {}. See: meridian status; end it: meridian down", site.name,
                lock.error().message);
  }
  std::vector<std::string> names;
  for (const site::DataCenter& dc : site.datacenters) {
    names.push_back(dc.name);
    if (pid_t pid = state->RunHolder(dc.name); pid != 0) return Fail(RunsByItself(dc.name, pid));
    std::error_code error;
    std::filesystem::create_directories(state->logs() / dc.name, error);
    if (error) return Fail(Errc::kIo, "{}: {}", state->logs().string(), error.message());
  }
  auto token = state->EnsureToken();
  if (!token) return Fail(token.error());
  auto ca = site::EnsureCa(*state, site, names, SystemClock().Wall());
  if (!ca) return Fail(ca.error());
  Result<void> remembered = RememberSite(*state, site);
  if (!remembered) return Fail(remembered.error());
  return Prepared{std::move(*state), std::move(*lock)};
}

void Say(const std::string& text) {
  fmt::print("{}", text);
  std::fflush(stdout);
}

// On a terminal the cursor may be in the waiting line.
void Tell(const std::string& sentence) {
  Say((isatty(STDOUT_FILENO) != 0 ? kEraseLine : "") + sentence + "\n");
}

// A lab in a terminal stops in good order when the terminal closes, as at Ctrl-C. A detached lab
// has no terminal.
io::Task<void> PassSignals(io::Signals& signals, lab::Lab& lab, bool detached) {
  for (;;) {
    Result<int> number = co_await signals.Next();
    if (!number) co_return;
    if (*number == SIGCHLD) continue;
    if (*number == SIGHUP && detached) {
      LOG_INFO(io::kHangupIgnored);
      continue;
    }
    Tell("going down");
    lab.AskDown();
  }
}

// Prints what the start waits for, until cancelled.
io::Task<void> ShowWaiting(const std::string& waits_for) {
  io::Fiber& fiber = co_await io::ThisFiber{};
  TimePoint began = fiber.loop().Now();
  Waiting waiting = Waiting::ForStandardOutput();
  while (co_await io::Sleep(kWaitingInterval)) {
    Say(waiting.Next(waits_for, fiber.loop().Now() - began));
  }
  Say(waiting.End());
}

// Calls `started` when every data center serves. `waits_for` always has what the lab waits for.
io::Task<int> RunLab(io::Signals& signals, lab::Lab& lab, bool detached,
                     const std::string& waits_for, std::function<void()> started) {
  io::Fiber& fiber = co_await io::ThisFiber{};
  io::Scope background(fiber.loop());
  background.Spawn(PassSignals(signals, lab, detached));
  io::Scope waiting(fiber.loop());
  waiting.Spawn(ShowWaiting(waits_for));
  Result<void> outcome = co_await lab.Start();
  waiting.Cancel();
  co_await waiting.Join();
  if (outcome) {
    started();
    outcome = co_await lab.ServeUntilDown();
  }
  background.Cancel();
  co_await background.Join();
  co_return outcome ? kDone : Complain(outcome.error());
}

// Runs the lab in this process until it ends.
int Serve(const Arguments& arguments, std::function<void()> started) {
  auto site = LoadSite(arguments.site_file);
  if (!site) return site.error();
  auto prepared = Prepare(*site, arguments);
  if (!prepared) return Complain(prepared.error());
  ConfigureLog({.file = {.path = prepared->state.logs() / "lab.log"}, .process = "lab"});
  io::BecomeSubreaper();
  io::EpollDriver driver;
  io::Signals signals(driver, {SIGTERM, SIGINT, SIGHUP, SIGCHLD});
  io::Loop loop(driver);
  io::SystemNetwork network(driver);
  std::string waits_for;
  lab::Lab lab(driver, loop, network,
               {.site = *site,
                .state = prepared->state,
                .program = ProgramPath(),
                .tell = Tell,
                .waits = [&](const std::string& text) { waits_for = text; }});
  auto announce = [&] {
    fmt::print("{}", Summary({.site = *site,
                              .state_directory = arguments.state_directory,
                              .detached = arguments.detach}));
    std::fflush(stdout);
    started();
  };
  int status = loop.RunToEnd(RunLab(signals, lab, arguments.detach, waits_for, announce));
  io::KillDescendants(lab::kLastKillTimeout);
  return status;
}

// The lab runs in a process of its own; this process returns when every data center serves, or
// after an error.
int ServeDetached(const Arguments& arguments) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return Complain(ErrnoError(errno, "pipe"));
  pid_t child = fork();
  if (child < 0) return Complain(ErrnoError(errno, "fork"));
  if (child == 0) {
    close(ends[0]);
    int status = Serve(arguments, [&] {
      // Until now Ctrl-C also reached the lab's process.
      setsid();
      int null = open("/dev/null", O_RDWR | O_CLOEXEC);
      for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, fd);
      char done = kDone;
      (void)!write(ends[1], &done, 1);
      close(ends[1]);
    });
    _exit(status);
  }
  close(ends[1]);
  char done = kFailed;
  if (read(ends[0], &done, 1) == 1) return done;
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : kFailed;
}

}  // namespace

void AddUp(Command& program) {
  auto arguments = std::make_shared<Arguments>();
  Command& command = program.AddCommand("up", "Run every data center of a site on this machine");
  command.AddOption({.name = "site",
                     .value = &arguments->site_file,
                     .help = "The site's file (site.toml)",
                     .type = "FILE"});
  command.AddOption(
      {.name = "--detach", .value = &arguments->detach, .help = "Return when everything serves"});
  AddStateOption(command, arguments->state_directory);
  command.action = [arguments] {
    return arguments->detach ? ServeDetached(*arguments) : Serve(*arguments, [] {});
  };
}

}  // namespace meridian::cli
