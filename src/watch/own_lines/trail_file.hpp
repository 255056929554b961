// ReadTrail: reads on in the files of a log that its writers rotate, from a position. Blocks: for a
// thread of a pool. Holds no file open, so a removed file gives its space back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "watch/own_lines/log_trail.hpp"

namespace meridian::watch {

struct TrailRead {
  TrailStep step;
  TrailPosition position;     // of the first of `bytes`
  std::string bytes;          // at most kTrailReadBytes
  uint64_t unread_bytes = 0;  // behind `bytes`, in this file and newer ones
};

// Nothing: there is nothing to read. No bytes, but unread ones: a rotation was just now, and late
// lines may come to its file before those of newer ones. Errors: by errno, such as kUnavailable (no
// free descriptor) and kPermission; a file that is not there is none.
Result<std::optional<TrailRead>> ReadTrail(const std::string& path,
                                           const std::optional<TrailPosition>& position,
                                           WallTime now);

}  // namespace meridian::watch
