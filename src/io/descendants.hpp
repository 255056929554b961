// Finds and kills all descendants of this process, including those that started a session of their
// own. A process calls BecomeSubreaper before it starts a child; the kernel then makes orphaned
// descendants its children, not init's.
#pragma once

#include <string_view>
#include <vector>

#include <sys/types.h>

#include "base/clock.hpp"

namespace meridian::io {

void BecomeSubreaper();

// Every living descendant of `root` (without `root`) at the moment, from /proc.
std::vector<pid_t> Descendants(pid_t root);

// Every living descendant of ours that the ended child `leader` left behind: processes in the
// session that `leader` led, and processes that were started with `mark` ("NAME=value") in their
// environment, in any session. Processes that left the session and cleared their environment are
// missed.
std::vector<pid_t> LeftBehind(pid_t leader, std::string_view mark);

// Reaps ended children that no code here waits for: orphans that the kernel gave to us. `ours`: the
// children that other code waits for.
void ReapOrphans(const std::vector<pid_t>& ours);

// Kills (SIGKILL) the orphans that the kernel gave to us: every descendant except the processes in
// `ours` and their descendants. Repeats until none is left or `timeout` has passed. Blocks.
void KillOrphans(const std::vector<pid_t>& ours, Duration timeout);

// Sends SIGKILL to all descendants, and repeats until none is left or `timeout` has passed. Blocks;
// for the end of a process: no Process object may be used afterwards. True when none is left.
bool KillDescendants(Duration timeout);

// Whether a debugger (or strace) is attached to `pid`: TracerPid in /proc/PID/status.
bool IsTraced(pid_t pid);

}  // namespace meridian::io
