// The processor cores that this process may use.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::io {

// At least 1: the cores of the process's affinity, or fewer if its control group, or one above it,
// limits its processor time to the time of fewer cores (rounded up), as a container or CPUQuota= of
// systemd does. Any thread; reads files of /proc and /sys.
size_t AvailableCores();

// The folders of the control groups that limit the processor time of a process, its own first, in
// the hierarchy at `root`, by the text of its /proc/PID/cgroup.
std::vector<std::string> CpuGroups(std::string_view text, const std::string& root);

// The cores that the text of a `cpu.max` file allows, rounded up; nothing if it sets no limit.
std::optional<size_t> CoresOfCpuMax(std::string_view text);

}  // namespace meridian::io
