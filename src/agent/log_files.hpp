// Keeps the log files of a data center within bounds. Pure of sockets; blocks for the disk: to be
// run in a BlockingPool.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/result.hpp"

namespace meridian::agent {

// Each `*.log` in `folder` with more than `max_bytes` is copied to `*.log.1`, over an older one,
// and emptied. Its writers hold it open for appending and go on; a line that is written between the
// two steps is lost.
Result<void> BoundLogFiles(const std::filesystem::path& folder, uint64_t max_bytes);

}  // namespace meridian::agent
