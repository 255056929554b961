#include "io/descendants.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <ctime>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <dirent.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/file/file.hpp"

namespace meridian::io {
namespace {

constexpr size_t kMaxStatBytes = 4096;
constexpr size_t kMaxStatusBytes = 16 * 1024;
constexpr size_t kMaxEnvironmentBytes = 1024 * 1024;
constexpr int kEnvironmentLooks = 3;
constexpr timespec kExecPause{.tv_sec = 0, .tv_nsec = 500'000};
constexpr timespec kKillPause{.tv_sec = 0, .tv_nsec = 2'000'000};

struct ProcessStat {
  pid_t parent = 0;
  pid_t session = 0;
  char state = '?';
};

// One line of /proc/PID/stat: "pid (name) state parent group session ...", where the name may hold
// anything.
bool ParseStat(std::string_view stat, ProcessStat* process) {
  size_t name_end = stat.rfind(") ");
  if (name_end == stat.npos || stat.size() < name_end + 5) return false;
  process->state = stat[name_end + 2];
  const char* at = stat.data() + name_end + 4;
  const char* end = stat.data() + stat.size();
  pid_t group = 0;
  for (pid_t* field : {&process->parent, &group, &process->session}) {
    auto [next, error] = std::from_chars(at, end, *field);
    if (error != std::errc{} || next == end) return false;
    at = next + 1;
  }
  return true;
}

std::map<pid_t, ProcessStat> AllProcesses() {
  std::map<pid_t, ProcessStat> all;
  DIR* proc = opendir("/proc");
  if (proc == nullptr) return all;
  while (dirent* entry = readdir(proc)) {  // NOLINT(concurrency-mt-unsafe): this stream is ours
    std::string_view name(entry->d_name);
    pid_t pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc{}) continue;
    Result<std::string> stat = ReadFile("/proc/" + std::string(name) + "/stat", kMaxStatBytes);
    ProcessStat process;
    if (stat && ParseStat(*stat, &process)) all[pid] = process;
  }
  closedir(proc);
  return all;
}

std::vector<pid_t> Below(const std::map<pid_t, ProcessStat>& all, pid_t root, bool with_dead) {
  std::vector<pid_t> found = {root};
  for (size_t i = 0; i < found.size(); ++i) {
    for (const auto& [pid, process] : all) {
      if (process.parent == found[i]) found.push_back(pid);
    }
  }
  found.erase(found.begin());
  if (!with_dead) std::erase_if(found, [&](pid_t pid) { return all.at(pid).state == 'Z'; });
  return found;
}

// The environment of `pid`; empty when it has none. During exec(2) a process seems to have none for
// a moment, so an empty environment is read again.
std::string EnvironmentOf(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/environ";
  for (int look = 0; look < kEnvironmentLooks; ++look) {
    if (look > 0) nanosleep(&kExecPause, nullptr);
    Result<std::string> environment = ReadFile(path, kMaxEnvironmentBytes);
    if (!environment) break;
    if (!environment->empty()) return std::move(*environment);
  }
  return "";
}

// Whether `pid` was started with `mark` in its environment.
bool HasMark(pid_t pid, std::string_view mark) {
  const std::string environment = EnvironmentOf(pid);
  std::string_view rest = environment;
  while (!rest.empty()) {
    std::string_view entry = rest.substr(0, rest.find('\0'));
    if (entry == mark) return true;
    rest.remove_prefix(std::min(entry.size() + 1, rest.size()));
  }
  return false;
}

}  // namespace

void BecomeSubreaper() { prctl(PR_SET_CHILD_SUBREAPER, 1); }

std::vector<pid_t> Descendants(pid_t root) { return Below(AllProcesses(), root, false); }

std::vector<pid_t> LeftBehind(pid_t leader, std::string_view mark) {
  std::map<pid_t, ProcessStat> all = AllProcesses();
  std::vector<pid_t> found = Below(all, getpid(), false);
  std::erase_if(found,
                [&](pid_t pid) { return all.at(pid).session != leader && !HasMark(pid, mark); });
  return found;
}

void ReapOrphans(const std::vector<pid_t>& ours) {
  for (const auto& [pid, process] : AllProcesses()) {
    if (process.parent != getpid() || process.state != 'Z') continue;
    if (std::ranges::find(ours, pid) == ours.end()) waitpid(pid, nullptr, WNOHANG);
  }
}

void KillOrphans(const std::vector<pid_t>& ours, Duration timeout) {
  TimePoint deadline = SystemClock().Now() + timeout;
  for (;;) {
    ReapOrphans(ours);
    std::map<pid_t, ProcessStat> all = AllProcesses();
    std::vector<pid_t> orphans = Below(all, getpid(), true);
    for (pid_t kept : ours) {
      std::vector<pid_t> below = Below(all, kept, true);
      std::erase_if(orphans, [&](pid_t pid) {
        return pid == kept || std::ranges::find(below, pid) != below.end();
      });
    }
    if (orphans.empty() || SystemClock().Now() > deadline) return;
    for (pid_t pid : orphans) kill(pid, SIGKILL);
    nanosleep(&kKillPause, nullptr);
  }
}

bool KillDescendants(Duration timeout) {
  TimePoint deadline = SystemClock().Now() + timeout;
  for (;;) {
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    std::vector<pid_t> left = Below(AllProcesses(), getpid(), true);
    if (left.empty()) return true;
    if (SystemClock().Now() > deadline) return false;
    for (pid_t pid : left) kill(pid, SIGKILL);
    nanosleep(&kKillPause, nullptr);
  }
}

bool IsTraced(pid_t pid) {
  constexpr std::string_view kKey = "\nTracerPid:\t";
  Result<std::string> status = ReadFile(fmt::format("/proc/{}/status", pid), kMaxStatusBytes);
  if (!status) return false;
  size_t found = status->find(kKey);
  return found != std::string::npos && status->compare(found + kKey.size(), 2, "0\n") != 0;
}

}  // namespace meridian::io
