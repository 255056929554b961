#include "io/process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <expected>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/core.h>
#include <grp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/descriptors.hpp"
#include "io/epoll.hpp"
#include "io/fd.hpp"
#include "io/task.hpp"

extern char** environ;  // NOLINT(readability-redundant-declaration)

namespace meridian::io {
namespace {

std::vector<std::string> MergedEnvironment(const ProcessOptions& options) {
  std::map<std::string, std::string> merged;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    std::string_view text(*entry);
    size_t equals = text.find('=');
    if (equals != text.npos) merged[std::string(text.substr(0, equals))] = text.substr(equals + 1);
  }
  if (options.user) {
    merged["USER"] = merged["LOGNAME"] = options.user->name;
    merged["HOME"] = options.user->home;
  }
  for (const auto& [name, value] : options.environment) merged[name] = value;
  std::vector<std::string> list;
  for (const auto& [name, value] : merged) list.push_back(name + "=" + value);
  return list;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// The work of the child between fork and exec: only calls that are safe there, on memory that was
// allocated before.
struct Launch {
  std::vector<char*> arguments;
  std::vector<char*> environment;
  const ProcessOptions& options;
  pid_t parent;
  int report;                          // pipe for the errno of a failure
  std::optional<rlimit> former_limit;  // of descriptors

  [[noreturn]] void Run() const;
  bool MoveDescriptors() const;
  bool BecomeUser() const;
  [[noreturn]] void ReportFailure(char stage) const;
};

void Launch::ReportFailure(char stage) const {
  struct {
    int error;
    char stage;
  } failure = {errno, stage};
  (void)!write(report, &failure, sizeof failure);
  _exit(127);
}

bool Launch::MoveDescriptors() const {
  // First moves every descriptor above all targets, so that none is overwritten.
  constexpr int kAbove = 64;
  constexpr size_t kMaxDescriptors = 32;
  std::array<int, kMaxDescriptors> parked{};
  size_t count = std::min(options.descriptors.size(), kMaxDescriptors);
  for (size_t i = 0; i < count; ++i) {
    parked[i] = fcntl(options.descriptors[i].second, F_DUPFD_CLOEXEC, kAbove);
    if (parked[i] < 0) return false;
  }
  int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (null < 0 || dup2(null, 0) < 0) return false;
  for (size_t i = 0; i < count; ++i) {
    if (dup2(parked[i], options.descriptors[i].first) < 0) return false;
  }
  return true;
}

// Permanent: the saved ids change too.
bool Launch::BecomeUser() const {
  if (!options.user) return true;
  const User& user = *options.user;
  // Only root may set groups; a process that is the user already has them.
  bool allowed = geteuid() != 0 || setgroups(user.groups.size(), user.groups.data()) == 0;
  return allowed && setresgid(user.gid, user.gid, user.gid) == 0 &&
         setresuid(user.uid, user.uid, user.uid) == 0;
}

void Launch::Run() const {
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  if (options.new_session) setsid();
  if (options.new_group) setpgid(0, 0);
  if (!BecomeUser()) ReportFailure('u');
  // After the change of user, because that clears the signal.
  if (options.die_with_parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);  // the parent died before prctl
  }
  if (!options.directory.empty() && chdir(options.directory.c_str()) != 0) ReportFailure('d');
  if (!MoveDescriptors()) ReportFailure('f');
  // Meridian's own programs raise the limit again.
  if (former_limit) setrlimit(RLIMIT_NOFILE, &*former_limit);
  execvpe(arguments[0], arguments.data(), environment.data());
  ReportFailure('x');
}

std::unexpected<Error> LaunchError(int error, char stage, const ProcessOptions& options) {
  const std::string& program = options.command.front();
  if (stage == 'd') {
    if (error == ENOENT)
      return Fail(Errc::kNotFound, "there is no directory {}", options.directory);
    return FailErrno(error, "directory " + options.directory);
  }
  if (stage == 'u') return FailErrno(error, "cannot become user " + options.user->name);
  if (stage == 'f') return FailErrno(error, "descriptors for " + program);
  if (error != ENOENT) return FailErrno(error, "program " + program);
  bool is_path = program.find('/') != std::string::npos;
  // A script whose first line names a missing interpreter.
  if (is_path && access(program.c_str(), F_OK) == 0) {
    return Fail(Errc::kNotFound, "there is no interpreter for {}: see its first line", program);
  }
  return Fail(Errc::kNotFound, "there is no program {}{}", program, is_path ? "" : " on the PATH");
}

}  // namespace

std::string ExitStatus::ToString() const {
  if (signal == 0) return fmt::format("exit status {}", code);
  return fmt::format("signal {} ({})", signal, sigdescr_np(signal) ? sigdescr_np(signal) : "?");
}

Result<std::unique_ptr<Process>> Process::Start(EpollDriver& driver,
                                                const ProcessOptions& options) {
  CHECK(!options.command.empty());
  std::vector<std::string> arguments = options.command;
  std::vector<std::string> environment = MergedEnvironment(options);
  std::array<int, 2> report{};
  if (pipe2(report.data(), O_CLOEXEC) != 0) return FailErrno(errno, "pipe");
  Fd reading(report[0]);
  Fd writing(fcntl(report[1], F_DUPFD_CLOEXEC, 128));
  ::close(report[1]);
  Launch launch{Pointers(arguments), Pointers(environment),  options, getpid(),
                writing.get(),       FormerDescriptorLimit()};
  pid_t pid = fork();
  if (pid < 0) return FailErrno(errno, "fork");
  if (pid == 0) launch.Run();
  writing.Reset();
  struct {
    int error;
    char stage;
  } failure{};
  ssize_t got = 0;
  do {
    got = read(reading.get(), &failure, sizeof failure);
  } while (got < 0 && errno == EINTR);
  if (got > 0) {
    waitpid(pid, nullptr, 0);
    return LaunchError(failure.error, failure.stage, options);
  }
  Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  CHECK(pidfd);
  return std::unique_ptr<Process>(new Process(driver, pid, std::move(pidfd)));
}

Process::Process(EpollDriver& driver, pid_t pid, Fd pidfd)
    : driver_(driver), pid_(pid), pidfd_(std::move(pidfd)) {
  driver_.Add(pidfd_.get(), EPOLLIN, *this);
}

Process::~Process() {
  driver_.Remove(pidfd_.get());
  if (ended_) return;
  Signal(SIGKILL);
  Reap(0);
}

void Process::Reap(int options) {
  siginfo_t info{};
  int returned = 0;
  do {
    returned = waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED | options);
  } while (returned != 0 && errno == EINTR);
  if (returned == 0 && info.si_pid == 0) return;  // WNOHANG: not yet
  ended_ = true;
  (info.si_code == CLD_EXITED ? status_.code : status_.signal) = info.si_status;
  waiting_.WakeAll();
}

void Process::OnEvents(uint32_t /*events*/) {
  if (!ended_) Reap(WNOHANG);
}

Task<Result<ExitStatus>> Process::Wait(TimePoint deadline) {
  while (!ended_) {
    Result<void> waited = co_await waiting_.Wait(deadline);
    if (!waited) co_return Fail(std::move(waited.error()));
  }
  co_return status_;
}

void Process::Signal(int number) {
  if (!ended_) syscall(SYS_pidfd_send_signal, pidfd_.get(), number, nullptr, 0);
}

Signals::Signals(EpollDriver& driver, std::initializer_list<int> numbers) : driver_(driver) {
  sigset_t set;
  sigemptyset(&set);
  for (int number : numbers) sigaddset(&set, number);
  CHECK(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
  fd_ = Fd(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  CHECK(fd_);
  driver_.Add(fd_.get(), EPOLLIN, *this);
}

Signals::~Signals() { driver_.Remove(fd_.get()); }

void Signals::OnEvents(uint32_t /*events*/) { waiting_.WakeAll(); }

Task<Result<int>> Signals::Next(TimePoint deadline) {
  for (;;) {
    signalfd_siginfo info{};
    if (read(fd_.get(), &info, sizeof info) == sizeof info) {
      co_return static_cast<int>(info.ssi_signo);
    }
    Result<void> waited = co_await waiting_.Wait(deadline);
    if (!waited) co_return Fail(std::move(waited.error()));
  }
}

}  // namespace meridian::io
