// Limits of partition logs.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace meridian::queue {

// A segment of this size is sealed (segment.bytes). A batch that is larger has one of its own.
constexpr uint64_t kDefaultSegmentBytes = uint64_t{64} << 20;
constexpr uint64_t kMaxSegmentBytes = uint64_t{1} << 30;
// Kafka's default of segment.ms: 7 days.
// Each segment that is not synced keeps its file open, so none is sealed for its age before it has
// so many bytes.
constexpr uint64_t kMinAgedSegmentBytes = uint64_t{256} * 1024;
constexpr int64_t kDefaultSegmentMs = std::chrono::milliseconds(std::chrono::hours{7 * 24}).count();

// One index entry for each so many bytes of batches; also the bound of a scan for an offset.
constexpr uint64_t kIndexIntervalBytes = uint64_t{16} << 10;
// Index entries of a segment that is written to are kept in memory until there are so many. A start
// scans for those that were not in the file: 1 MiB of batches.
constexpr size_t kIndexFlushEntries = 64;
// What a scan of batch headers reads at a time.
constexpr size_t kScanBlockBytes = size_t{32} << 10;
// Limit of segments whose file and index are in memory, beside those that are not synced yet or
// that are being sent.
constexpr size_t kMaxOpenSegments = 1024;
// Limit of all segments that are open, fewer where the system allows fewer files. When writing
// needs more, those that have not been synced for longest are synced and closed.
constexpr size_t kMaxSegmentFiles = 12'000;
// Reading opens no further one when only this part of them, one of so many, is left for writing;
// writing then syncs some.
constexpr size_t kWriterShare = 4;
// Index files that are read at a time.
constexpr size_t kMaxIndexLoads = 16;
// Positions of offsets that a partition remembers: where recent appends began and recent reads
// ended, so that readers at the end and readers in sequence need no scan.
constexpr size_t kRecentPositions = 32;

// What a check of segments reads at a time; a batch that is larger than the limit is none.
constexpr size_t kCheckBlockBytes = size_t{256} << 10;
constexpr size_t kMaxCheckedBatchBytes = size_t{8} << 20;
// The checksum of a batch of this size or a larger one is computed beside the loop.
constexpr size_t kHeavyBatchBytes = size_t{64} << 10;
// Bad places of one segment that are told apart; the last one takes in all behind it.
constexpr size_t kMaxBadPlaces = 64;

// Memory of the keys that one compaction knows; the next one goes on behind them.
constexpr size_t kMaxCompactionKeyBytes = size_t{64} << 20;
// What compaction writes at a time.
constexpr size_t kCompactionWriteBytes = size_t{256} << 10;

}  // namespace meridian::queue
