// The guard of a data center: the parent of its agent, which ensures that no process outlives the
// agent. Orphans become children of the guard (it is a subreaper), so that after any death of the
// agent the guard ends every descendant, also processes that have called setsid. When the guard
// itself dies, the agent sees its lifeline close and does the same.
//
// The guard forwards SIGTERM and SIGINT to the agent, which drains and ends. SIGQUIT kills
// everything at once (the loss of the data center).
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace meridian::agent {

// The agent's descriptor that is closed when the guard ends.
constexpr int kLifelineFd = 3;

// The maximum wait for descendants to die of SIGKILL, which only uninterruptible I/O delays.
constexpr Duration kKillTimeout = std::chrono::seconds{10};

struct GuardOptions {
  std::vector<std::string> agent_command;
  // {descriptor in the agent, descriptor here}, beside the lifeline.
  std::vector<std::pair<int, int>> descriptors;
  // Holds the pids of guard and agent while they run.
  std::filesystem::path pid_file;
};

// Runs the agent until its end, and returns the exit status for this process. Call before any
// thread starts.
Result<int> RunGuard(const GuardOptions& options);

}  // namespace meridian::agent
