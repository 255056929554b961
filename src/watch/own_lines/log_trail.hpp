// LogTrail: where to go on reading a log that its writers rotate (base/log_file.hpp): NAME is
// renamed to NAME.1, that to NAME.2, and so on; the oldest file is replaced. A file is known by its
// inode and the hash of its front, so that it is found again under its new name, also after a
// restart, and a new file with the inode of a removed one is not taken for it. Pure; any thread.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/clock.hpp"

namespace meridian::watch {

struct FileIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;

  auto operator<=>(const FileIdentity&) const = default;
};

// What a look at a file found.
struct SeenFile {
  FileIdentity identity;
  uint64_t head = 0;  // of its first kTrailHeadBytes; 0: it has fewer
  uint64_t bytes = 0;
  WallTime written;  // last
  WallTime changed;  // written or renamed last
};

// All lines before it have been read.
struct TrailPosition {
  FileIdentity file;
  uint64_t head = 0;  // 0: not known
  uint64_t offset = 0;
  WallTime written;  // when the file was written last, as far as it was seen

  bool operator==(const TrailPosition&) const = default;
};

struct TrailStep {
  size_t file = 0;        // in the files that were seen
  uint64_t offset = 0;    // read on from here
  bool begins = false;    // another file than before: what is held of that one has no more bytes
  bool mid_line = false;  // up to the next newline is no whole line
  bool gap = false;       // the file of the position is gone: lines may be missing
};

// The next place to read, of `files`: the present file first, then ever older ones. Nothing: no
// bytes are there, or a rotation was just now, and late lines may come to its file.
std::optional<TrailStep> NextStep(const std::optional<TrailPosition>& position,
                                  std::span<const SeenFile> files, WallTime now);

// Bytes that are there and not read; 0 if the position is not known.
uint64_t UnreadBytes(const TrailPosition& position, std::span<const SeenFile> files);

}  // namespace meridian::watch
