// Child processes and signals on a loop. Fork only from a thread that lives as long as the children
// with die_with_parent: the kernel sends that signal when the forking *thread* ends. One thread:
// the loop's.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "base/result.hpp"
#include "io/epoll.hpp"
#include "io/fd.hpp"
#include "io/wait_queue.hpp"

namespace meridian::io {

// A user of this machine (proc::FindUser).
struct User {
  std::string name;
  std::string home;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // all of them
};

struct ProcessOptions {
  // Program and arguments. A program without '/' is searched in PATH.
  std::vector<std::string> command;
  // Set in addition to our own environment.
  std::vector<std::pair<std::string, std::string>> environment;
  std::string directory;  // empty: this process's
  // {descriptor in the child, descriptor here}. Defaults: 0 is /dev/null; 1 and 2 are this
  // process's.
  std::vector<std::pair<int, int>> descriptors;
  // The child runs as this user, with USER, LOGNAME and HOME set. Without it: as this process's
  // user.
  std::optional<User> user;
  bool new_group = false;    // leader of a process group of its own
  bool new_session = false;  // leader of a session of its own, and so of a group
  bool die_with_parent = true;
};

struct ExitStatus {
  int code = 0;    // when it exited
  int signal = 0;  // when a signal ended it, else 0

  std::string ToString() const;  // "exit status 1", "signal 9 (Killed)"
};

// A child process. The destructor kills it (SIGKILL) and reaps it.
class Process final : private EpollHandler {
 public:
  // Errors: the program cannot be run (kNotFound names it), the directory cannot be entered, or the
  // user cannot be changed.
  static Result<std::unique_ptr<Process>> Start(EpollDriver& driver, const ProcessOptions& options);
  ~Process();

  pid_t pid() const { return pid_; }
  bool running() const { return !ended_; }
  ExitStatus status() const { return status_; }

  // Waits until the process ends. Errors: kTimeout, kCancelled.
  Task<Result<ExitStatus>> Wait(TimePoint deadline = kNever);
  // Sends a signal. Does nothing after the process ended (its pid may have been reused).
  void Signal(int number);

 private:
  Process(EpollDriver& driver, pid_t pid, Fd pidfd);
  void OnEvents(uint32_t events) override;
  void Reap(int options);

  EpollDriver& driver_;
  pid_t pid_;
  Fd pidfd_;
  bool ended_ = false;
  ExitStatus status_;
  WaitQueue waiting_;
};

// Log event of guard, agent, tiers and a detached lab on SIGHUP. Nothing is reloaded while they run
// (certificates are renewed automatically), and closing a terminal must not stop a data center.
inline constexpr const char* kHangupIgnored =
    "SIGHUP is ignored: nothing is reloaded; to end in good order send SIGTERM";

// Signals as events. Construct before any thread starts: the signals are blocked in this thread and
// in the threads that it starts (child processes get them unblocked).
class Signals final : private EpollHandler {
 public:
  Signals(EpollDriver& driver, std::initializer_list<int> numbers);
  ~Signals();

  // Waits for a signal. Result<int>: its number.
  Task<Result<int>> Next(TimePoint deadline = kNever);

 private:
  void OnEvents(uint32_t events) override;

  EpollDriver& driver_;
  Fd fd_;
  WaitQueue waiting_;
};

}  // namespace meridian::io
