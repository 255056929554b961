// The processor cores that this process may use.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace meridian::io {

// At least 1: the cores of the process's affinity, or fewer if its control group limits its
// processor time to the time of fewer cores (rounded up), as a container's does. Any thread; reads
// files of /proc and /sys.
size_t AvailableCores();

// The cores that the text of a `cpu.max` file allows, rounded up; nothing if it sets no limit.
std::optional<size_t> CoresOfCpuMax(std::string_view text);

}  // namespace meridian::io
