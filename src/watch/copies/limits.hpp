// The limits of copies of other data centers' lines.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::watch {

// [watch] copies_size: of each other data center.
constexpr uint64_t kMinCopyBytes = uint64_t{16} * 1024 * 1024;
constexpr uint64_t kMaxCopyBytes = uint64_t{1} << 50;
// Threads for the stores of all copies: one closes segments, the others write and search.
constexpr size_t kCopyPoolThreads = 3;

// --- frames
constexpr size_t kCopyPageEntries = 200;
// A page that has reached this many bytes ends; it is longer by one entry at most.
constexpr size_t kCopyPageBytes = size_t{256} * 1024;
// Frames that were sent and not taken yet. So few that an urgent line waits behind little on a
// short link, and so many that a long one is used.
constexpr size_t kCopyWindow = 4;
// A data center sends so many bytes a second to each other one.
constexpr uint64_t kCopyBytesPerSecond = uint64_t{2} * 1024 * 1024;
// Between two frames: lines that come thicker share one. A line after a pause is sent at once.
constexpr Duration kCopyInterval = std::chrono::milliseconds{20};

// Of all followers together; further ones wait.
constexpr size_t kMaxCopySearches = 4;
// For its turn, and for a search, which then has what it has found. Urgent lines are looked for so
// long before others are sent.
constexpr Duration kCopySearchTime = std::chrono::milliseconds{1500};
constexpr Duration kUrgentSearchTime = std::chrono::milliseconds{500};

// --- connections
constexpr Duration kCopyHeartbeat = std::chrono::seconds{1};
// Without a frame for so long the connection is made anew; nor is one waited for that takes none.
constexpr Duration kCopySilence = std::chrono::seconds{5};
constexpr Duration kCopyTakeTimeout = std::chrono::seconds{60};
constexpr Duration kCopyDialTimeout = std::chrono::seconds{5};
constexpr Duration kCopyRetry = std::chrono::seconds{1};
// Without a connection for so long, the status tells why.
constexpr Duration kCopyMissing = std::chrono::seconds{30};
// While the copy's disk is slow, nothing is taken.
constexpr Duration kCopyRoomInterval = std::chrono::milliseconds{50};
constexpr size_t kCopyReadBytes = size_t{64} * 1024;

// --- entries that come again
// When the other process is killed, its store may lack what it had sent last; some of that comes
// again, with other sequences. So many of the last entries are known.
constexpr size_t kMaxRecentCopies = 65'536;
// After its start, what comes again comes in this time.
constexpr Duration kReturnTime = std::chrono::minutes{1};

// --- positions
// A position is written this long after the one before, if entries have come; else more seldom:
// then only the time up to which the copy is whole is new.
constexpr Duration kCopyPositionInterval = std::chrono::seconds{5};
constexpr Duration kCopyIdlePositionInterval = std::chrono::minutes{1};
// Until a position that cannot be read now is tried again.
constexpr Duration kCopyPositionRetry = std::chrono::seconds{1};

}  // namespace meridian::watch
