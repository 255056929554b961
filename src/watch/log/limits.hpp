// The limits of the log store: of lines and entries, of the files, and of searches.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::watch {

// --- lines
// A longer line is cut, and says how many bytes are missing.
constexpr size_t kMaxLineBytes = size_t{64} * 1024;
// Lines that are joined to one entry, a stack trace. A line that would pass either limit begins a
// new entry.
constexpr size_t kMaxJoinedBytes = size_t{128} * 1024;
constexpr size_t kMaxJoinedLines = 1000;
// An entry waits this long for a next line that may belong to it, and so long in all.
constexpr Duration kMaxJoinGap = std::chrono::milliseconds{200};
constexpr Duration kMaxJoinTime = std::chrono::seconds{2};
// A line without an end (a prompt, a process that hangs) is taken as it is after this time.
constexpr Duration kMaxPartialLineTime = std::chrono::seconds{1};
// A line's own time is believed if it is at most so far from the arrival of the line.
constexpr Duration kMaxTimeBehind = std::chrono::minutes{10};
constexpr Duration kMaxTimeAhead = std::chrono::seconds{10};
// The bytes at the front of a plain line in which its time, level and trace id are looked for.
constexpr size_t kExaminedBytes = 256;
// How often a source whose lines are dropped says so.
constexpr Duration kDropReportInterval = std::chrono::seconds{1};

// --- entries
// Of text and fields together: a joined entry in which every byte was escaped as four.
constexpr size_t kMaxEntryBytes = 4 * (kMaxJoinedBytes + 64);
constexpr size_t kMaxOriginFieldBytes = 256;  // a name of a data center, host, tier, ...
constexpr size_t kMaxTraceIdBytes = 64;

// --- blocks
constexpr size_t kMaxBlockLines = 500;
// A block that has reached this many bytes is full; it is longer by one entry at most.
constexpr size_t kBlockBytes = size_t{256} * 1024;
// Of a block as encoded and of its compressed form: what a reader of a damaged file accepts.
constexpr size_t kMaxBlockBytes = size_t{2} * 1024 * 1024;
// Lines that share a row of the word index.
constexpr size_t kLinesPerRow = 25;
constexpr size_t kRowsPerBlock = kMaxBlockLines / kLinesPerRow;
constexpr size_t kMaxBloomBytes = size_t{64} * 1024;

// --- segments
// A segment is closed when its blocks hold so many bytes before compression, or at this age.
constexpr uint64_t kSegmentBytes = uint64_t{64} * 1024 * 1024;
constexpr uint64_t kMinSegmentBytes = uint64_t{64} * 1024;
constexpr Duration kMaxSegmentAge = std::chrono::hours{6};
constexpr uint32_t kMaxSegmentBlocks = 100'000;
constexpr size_t kMaxFooterBytes = size_t{256} * 1024 * 1024;
constexpr size_t kMaxSegments = 100'000;
constexpr size_t kMaxTailBytes = size_t{8} * 1024 * 1024;

// --- the store
constexpr uint64_t kMinStoreBytes = uint64_t{1} * 1024 * 1024;
// Lines are in a file after this time at the latest (and survive the end of this process), and are
// synced after this one (and survive a loss of power).
constexpr Duration kFlushInterval = std::chrono::milliseconds{500};
constexpr Duration kSyncInterval = std::chrono::seconds{5};
// Bytes of full blocks that wait for the disk. Past it entries are dropped and counted.
constexpr size_t kMaxWaitingBytes = size_t{64} * 1024 * 1024;
// Segments that wait to be closed. Past it blocks wait.
constexpr size_t kMaxClosingSegments = 4;
// Numbers of segments that entries may have had whose files were not made yet: of all waiting
// blocks.
constexpr uint32_t kMaxUnmadeSegments = kMaxWaitingBytes / kMinSegmentBytes + 2;
// Numbers of first segments are chosen below it.
constexpr uint32_t kFirstSegments = uint32_t{1} << 20;
// Damaged files that are listed by name; further ones are only counted.
constexpr size_t kMaxListedProblems = 20;

// Entries behind the written positions that a start remembers; what it cannot is stored twice.
constexpr size_t kMaxOverlapEntries = 200'000;

// --- searches
constexpr size_t kMaxPageEntries = 1000;
constexpr size_t kMaxPageBytes = size_t{4} * 1024 * 1024;
constexpr size_t kMaxSearchTerms = 16;
constexpr size_t kMaxSearchTermBytes = 256;
// The work of a search that is done without a pause on a thread of the pool.
constexpr Duration kSearchSlice = std::chrono::milliseconds{20};
constexpr Duration kMaxSearchTime = std::chrono::seconds{30};
// Searches that run at the same time; further ones are refused. More than those who search it let
// run together (kMaxAnsweredSearches, kMaxCopySearches, and one at the start).
constexpr size_t kMaxSearches = 16;

}  // namespace meridian::watch
