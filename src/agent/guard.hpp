// The guard of a data center: the parent of its agent, and what makes sure that nothing outlives
// it. Orphans come to the guard (it is a subreaper), so that when the agent dies, however it dies,
// the guard ends every descendant of it, also those that left for a session of their own. When the
// guard itself dies, the agent sees its lifeline close and does the same.
//
// SIGTERM and SIGINT are passed on to the agent, which drains and ends; SIGQUIT ends everything at
// once (the loss of the data center).
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace meridian::agent {

// The agent's descriptor that closes when the guard is gone.
constexpr int kLifelineFd = 3;

// How long descendants may take to die of SIGKILL; only uninterruptible I/O takes any time.
constexpr Duration kKillTimeout = std::chrono::seconds{10};

struct GuardOptions {
  std::vector<std::string> agent_command;
  // {descriptor in the agent, descriptor here}, beside the lifeline.
  std::vector<std::pair<int, int>> descriptors;
  // Says the pids of guard and agent while they live.
  std::filesystem::path pid_file;
};

// Runs the agent to its end; gives the exit status for this process. To be called before any thread
// starts.
Result<int> RunGuard(const GuardOptions& options);

}  // namespace meridian::agent
