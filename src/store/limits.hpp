// The limits of logs, snapshots and mirroring.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::store {

// --- log
constexpr size_t kMaxRecordBytes = size_t{8} * 1024 * 1024;  // of one record's body
// Offsets that one record covers (a Kafka batch of so many records).
constexpr uint32_t kMaxRecordSpan = 1'000'000;
// Offsets end here, far below what would overflow.
constexpr uint64_t kMaxOffset = uint64_t{1} << 62;
// Appended and not yet being written; past it Append refuses. A record of the largest size fits.
constexpr size_t kMaxPendingBytes = size_t{16} * 1024 * 1024;
// Memory that an idle log keeps for a group; more is given back.
constexpr size_t kKeptGroupBytes = size_t{1} * 1024 * 1024;
// How often a group lets other ready fibers run before it is written: two loop iterations.
constexpr int kGatherRounds = 4;
// How long it then waits for appends that are likely to follow.
constexpr Duration kGatherDelay = std::chrono::microseconds{100};
// A segment that has reached this is sealed and a new one begun; it is longer by one group at most.
constexpr uint64_t kSegmentBytes = uint64_t{64} * 1024 * 1024;
constexpr uint64_t kMinSegmentBytes = uint64_t{4} * 1024;
// Segments of one log; past it retention must remove some before more is appended.
constexpr size_t kMaxSegments = 16'384;
// How far apart the entries of the index are, in bytes of the segment.
constexpr uint64_t kIndexIntervalBytes = uint64_t{16} * 1024;
constexpr size_t kMaxReadBytes = size_t{4} * 1024 * 1024;  // of one Read, but for its first record
constexpr size_t kScanChunkBytes = size_t{1} * 1024 * 1024;
// Damaged ranges that are remembered one by one; those after the last are reported with it as one.
constexpr size_t kMaxDamages = 256;

// --- a full disk
// Appends are refused when less than this is free, also counting what was appended since the free
// space was last read; the last record may reach into it. Snapshots may use the headroom down to a
// part of it, because a snapshot makes the log shorter; the rest is for the clock file, a restart,
// and what else is on the disk.
constexpr uint64_t kHeadroomBytes = uint64_t{64} * 1024 * 1024;
constexpr uint64_t kSnapshotReserveShare = 4;  // of the headroom, a fourth
// What a snapshot writes between two readings of the free space.
constexpr uint64_t kFreeSpaceReadBytes = uint64_t{4} * 1024 * 1024;
constexpr Duration kUpkeepInterval = std::chrono::seconds{1};  // retention and free space
constexpr Duration kFullDiskRetry = std::chrono::milliseconds{500};

// --- journals
// Records that the log has no room for at the moment. Past it Writable refuses further changes.
constexpr size_t kMaxWaitingBytes = size_t{64} * 1024 * 1024;
constexpr Duration kFeedPause = std::chrono::milliseconds{10};
// How long AwaitDurable waits for a full disk to have room again. Past it a change may be durable
// later, or not.
constexpr Duration kFullDiskTimeout = std::chrono::seconds{10};
// A snapshot is written when the log has so many bytes, and so many times those of the state.
constexpr uint64_t kSnapshotLogBytes = uint64_t{256} * 1024 * 1024;
constexpr uint64_t kSnapshotMemoryFactor = 2;
constexpr Duration kSnapshotCheckPause = std::chrono::seconds{1};
// The pause after a snapshot that failed, doubled for each failure in a row.
constexpr Duration kMaxSnapshotPause = std::chrono::seconds{16};

// --- replicas
// Bytes of records that are applied before other fibers run, and the pause before a record that
// could not be applied is tried again.
constexpr size_t kApplyBytes = size_t{64} * 1024;
constexpr Duration kApplyRetry = std::chrono::seconds{5};

// --- snapshots
constexpr size_t kSnapshotBlockBytes = size_t{256} * 1024;  // of one slice, but for its first item
constexpr size_t kMaxSnapshotItemBytes = kMaxRecordBytes;
// How long a snapshot that the disk had no room for keeps the next from being begun with less room
// than it took. The state may have become smaller since.
constexpr Duration kFailedSnapshotCounts = std::chrono::minutes{1};
// A snapshot takes at least so much of the memory of its state: one part of so many.
constexpr uint64_t kSnapshotMemoryShare = 4;

// --- clock
// How far above the present the bound on disk is set, and how often it is raised.
constexpr Duration kClockBoundWindow = std::chrono::seconds{3};
constexpr Duration kClockBoundInterval = std::chrono::seconds{1};
// Stamps of peers further in the future than this are refused.
constexpr Duration kMaxClockSkew = std::chrono::seconds{10};

// --- mirroring
constexpr size_t kMirrorBatchBytes = size_t{256} * 1024;  // but for its first record
// Sent on a stream and not acknowledged by the follower, but for the last batch.
constexpr size_t kMaxInFlightBytes = size_t{4} * 1024 * 1024;
// The same for all streams of a connection; past it each stream may have one batch in flight.
constexpr size_t kMaxConnectionInFlightBytes = 4 * kMaxInFlightBytes;
// Open at a time on one connection, each of one log.
constexpr size_t kMaxStreams = 16;
// The largest record or block of a snapshot with what is around it.
constexpr size_t kMaxFrameBytes = kMaxRecordBytes + kSnapshotBlockBytes + 1024;
constexpr size_t kMaxHandshakeBytes = 4096;  // of what a follower sends, and of a welcome
constexpr size_t kMaxNameBytes = 255;        // of a site, a data center, a log
constexpr size_t kMaxRefusalTextBytes = 512;
constexpr size_t kMaxFollowers = 64;  // of one log, by data center
// Received on a stream and not yet taken into the copy. A source keeps to kMaxInFlightBytes of
// records, with which frames of one empty record each are less than three times as long.
constexpr size_t kMaxReceivedBytes = 3 * kMaxInFlightBytes + kMaxFrameBytes;
constexpr size_t kMaxReceivedFrames = size_t{128} * 1024;
constexpr Duration kMirrorHeartbeat = std::chrono::milliseconds{500};
// A peer is silent that neither sends (or reads) kMinMirrorProgress bytes in this time, nor ends
// the frame. A frame of the largest size then takes a slow link 22 minutes at most (52 kbit/s).
constexpr Duration kMaxMirrorSilence = std::chrono::seconds{5};
constexpr size_t kMinMirrorProgress = size_t{32} * 1024;
// When so many connections (or streams) in a row lasted for less than kSteadyConnection, the next
// is reported as connected only when it has lasted that long.
constexpr Duration kSteadyConnection = std::chrono::seconds{10};
constexpr int kMaxEarlyEnds = 3;
constexpr size_t kClockSamples = 8;  // the best of them is the estimate
constexpr Duration kMirrorHandshakeTimeout = std::chrono::seconds{5};
// Between two attempts, doubled for each failure in a row, and a random part of it. kMaxRedial
// is also how long it takes to notice that a cut has healed.
constexpr Duration kMinRedial = std::chrono::milliseconds{50};
constexpr Duration kFirstRedial = std::chrono::milliseconds{100};
constexpr Duration kMaxRedial = std::chrono::seconds{1};

}  // namespace meridian::store
