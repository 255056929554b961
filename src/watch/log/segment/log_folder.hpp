// OpenLogFolder: what a start finds in the folder of a log store: closes what a crash left open,
// and sets aside what is damaged. Blocks.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "watch/log/segment/log_files.hpp"
#include "watch/log/segment/segment.hpp"

namespace meridian::watch {

// A file that was set aside, for a person to look at. It is removed when the segments of its time
// are.
struct DamagedFile {
  uint32_t segment = 0;
  std::string path;
  uint64_t bytes = 0;
};

struct LogFolder {
  std::vector<std::shared_ptr<const Segment>> segments;  // by number
  std::vector<DamagedFile> damaged;                      // by number
  // What searches must say: lines are missing. One text for each segment concerned.
  std::vector<std::string> problems;
  uint32_t next_number = 1;      // above all that were ever used
  std::vector<uint32_t> starts;  // marks of MarkStart
  uint32_t recovered_lines = 0;
};

// kIo, kPermission, kNotFound: the folder cannot be read. A full disk: the oldest segments are
// removed until the open one can be closed; if that is not enough, it is left for the next start,
// and is a problem.
Result<LogFolder> OpenLogFolder(LogFiles& files, const std::string& folder);

// Makes an empty file with the number of the first segment of this start, so that no later one uses
// it again even if none of its lines came to the disk: others may have copies of them. Then removes
// the marks of earlier starts. Errors: by errno.
Result<void> MarkStart(const std::string& folder, uint32_t number,
                       const std::vector<uint32_t>& earlier);

}  // namespace meridian::watch
