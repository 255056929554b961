// The limits of following the log files of Meridian's own processes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"
#include "proc/intake_quota.hpp"

namespace meridian::watch {

// How often the files are looked at. A line is found so much later, at most, unless there is more
// to read than a round reads.
constexpr Duration kOwnLinesInterval = std::chrono::milliseconds{50};
// Bytes of one file that a round reads. A source may have so many sources beside it.
constexpr size_t kTrailReadBytes = size_t{64} * 1024;
constexpr size_t kMaxOwnSources = 32;
// Of a file of which no position is known, the last so many bytes are read.
constexpr uint64_t kFirstTrailBytes = uint64_t{1} * 1024 * 1024;
// The bytes at a file's front that tell it from a later file with the same inode. They hold the
// time of its first line in microseconds.
constexpr size_t kTrailHeadBytes = 64;
// For so long after a rotation, late lines of other processes may come to the rotated file.
constexpr Duration kRotationGrace = std::chrono::seconds{1};
// A line whose end does not come in this time is taken as it is.
constexpr Duration kMaxTornLineTime = std::chrono::seconds{1};
// A quota counts the time that a line has, at most so far back.
constexpr Duration kMaxLineAge = std::chrono::days{30};

// Of each process, by the times of its lines; and of the watch tier itself, so that a line that
// makes a line cannot fill the store.
constexpr proc::IntakeLimits kOwnSourceLimits = {};
constexpr proc::IntakeLimits kWatchSourceLimits = {.bytes_per_second = uint64_t{64} * 1024,
                                                   .burst_bytes = uint64_t{1} * 1024 * 1024};

// Positions are written when the entries before them are synced, at most so often.
constexpr Duration kPositionInterval = std::chrono::seconds{1};
constexpr size_t kMaxPositionsBytes = size_t{64} * 1024;
constexpr Duration kOverlapTimeout = std::chrono::seconds{20};
// What a start remembers of the store is forgotten when all files have been read to their ends, and
// at the latest after this time: a file that can never be read must not keep it.
constexpr Duration kMaxOverlapTime = std::chrono::minutes{10};
// Until positions that cannot be read now are tried again.
constexpr Duration kPositionsRetry = std::chrono::seconds{1};

}  // namespace meridian::watch
