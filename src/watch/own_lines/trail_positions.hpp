// TrailPositions: how far the log files are read, as it is kept in a file over restarts. Pure; any
// thread.
//
//   meridian watch positions 1
//   sequence 4294967300
//   edge.log 2049 131 9230014230942304 8192 1795224138000000000
//
// A line for each log: device, inode, head, offset, and the time of its last write in nanoseconds.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "watch/own_lines/log_trail.hpp"

namespace meridian::watch {

struct TrailPositions {
  // Entries of lines before the positions have sequences below it in the store.
  uint64_t sequence = 0;
  std::map<std::string, TrailPosition> files;  // by name, which has no spaces

  bool operator==(const TrailPositions&) const = default;
};

std::string EncodePositions(const TrailPositions& positions);
// kInvalid: another text, with the number of the line that is wrong.
Result<TrailPositions> ReadPositions(std::string_view text);

}  // namespace meridian::watch
