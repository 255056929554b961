// Processes that descend from this one: found, and ended to the last, also those that left for a
// session of their own. A process calls BecomeSubreaper before it starts any child; orphans then
// come to it and not to init.
#pragma once

#include <string_view>
#include <vector>

#include <sys/types.h>

#include "base/clock.hpp"

namespace meridian::io {

void BecomeSubreaper();

// Every living descendant of `root` (not itself), from /proc; a moment's picture.
std::vector<pid_t> Descendants(pid_t root);

// Every living descendant of ours that a child which has ended left behind: what is in the session
// that the child, `leader`, led, and what was started with `mark` ("NAME=value") in its
// environment, wherever it went since. A process that left the session and cleared its environment
// is not told from others.
std::vector<pid_t> LeftBehind(pid_t leader, std::string_view mark);

// Reaps children of ours that ended and that nobody here waits for: orphans that came to us.
// `ours`: the children that somebody waits for.
void ReapOrphans(const std::vector<pid_t>& ours);

// Ends (SIGKILL) every descendant that is neither one of `ours` nor below one: orphans that came to
// us. Again until none is left or `timeout` has passed; blocks meanwhile.
void KillOrphans(const std::vector<pid_t>& ours, Duration timeout);

// Sends SIGKILL to all descendants, again until none is left or `timeout` has passed. Blocks; for
// the end of a process. No Process object may be used afterwards. True when none is left.
bool KillDescendants(Duration timeout);

// Whether a debugger (or strace) is attached to `pid`: TracerPid in /proc/PID/status.
bool IsTraced(pid_t pid);

}  // namespace meridian::io
