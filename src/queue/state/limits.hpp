// The limits of the queue's state and engine.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::queue {

// --- topics
constexpr size_t kMaxTopicNameBytes = 249;
// Of all topics together.
constexpr uint32_t kMaxPartitions = 10'000;
// Numbers of deleted topics that are remembered, so that another data center's older journal does
// not bring them back.
constexpr size_t kMaxDeletedTopics = 10'000;
constexpr size_t kMaxTopicOverrides = 64;  // configuration keys that one topic sets
constexpr size_t kMaxConfigValueBytes = 256;
constexpr int64_t kMaxDelayMs = int64_t{30} * 24 * 3600 * 1000;  // of meridian.delay.ms

// --- batches
// Kafka's default of max.message.bytes: a batch of 1 MiB and the 12 bytes before its length's end.
constexpr int64_t kDefaultMaxMessageBytes = 1024 * 1024 + 12;
// What a topic may raise it to: the batch and the bytes in front of it fit in a record of the log.
constexpr int64_t kMaxMaxMessageBytes = 7 * 1024 * 1024;
// Batches that were appended and are not yet in their segment files, over all partitions. Producers
// wait for room. Less than store::kMaxPendingBytes, so that the log takes each batch at once.
constexpr size_t kMaxInFlightBytes = size_t{12} * 1024 * 1024;
constexpr size_t kMaxWaitingProducers = 10'000;  // requests that wait for room; past it: refused
// Batches that are written to segment files in one hand-over; and the partitions that they are of,
// as a part of the segment files that may be open: one of so many.
constexpr size_t kMaxWriteGroupBytes = size_t{4} * 1024 * 1024;
constexpr size_t kWriteGroupShare = 16;
// Of the partitions with segments that are not synced, one of so many is synced when files have to
// be closed.
constexpr size_t kSyncShare = 4;
// The pause before a write to a segment file that failed for lack of room is tried again.
constexpr Duration kSegmentRetry = std::chrono::milliseconds{200};

// The pause before messages that could not be set aside are tried again.
// The pause of a checkpoint before a partition that is about to be cut off is looked at again.
constexpr Duration kCutPause = std::chrono::milliseconds{5};
constexpr Duration kSetAsideRetry = std::chrono::seconds{5};

// --- producers
// Batches of each producer and partition whose repetition is recognised (as Kafka).
constexpr size_t kRememberedBatches = 5;
// Producers of all partitions together; past it the one that has been idle longest is forgotten.
constexpr size_t kMaxProducers = 200'000;
// A producer that was idle for so long is forgotten (Kafka's producer.id.expiration.ms).
constexpr Duration kProducerExpiry = std::chrono::hours{24};
// How often producers that were forgotten are reported.
constexpr Duration kEvictionReportInterval = std::chrono::minutes{1};
// Producer ids that one record of the journal reserves.
constexpr int64_t kProducerIdBlock = 1000;

// --- groups
constexpr size_t kMaxGroups = 10'000;  // that have committed offsets
constexpr size_t kMaxGroupNameBytes = 1024;
constexpr size_t kMaxCommittedOffsets = 1'000'000;  // of all groups together
constexpr size_t kMaxOffsetMetadataBytes = 4096;
// The metadata of all committed offsets together. Past it only commits without metadata, or with
// metadata no longer than what they replace, are accepted.
constexpr size_t kMaxAllMetadataBytes = size_t{64} * 1024 * 1024;
// Offsets of a group stay so long after it is empty (Kafka's offsets.retention.minutes).
constexpr Duration kOffsetsRetention = std::chrono::hours{7 * 24};
// After a start no offsets expire for so long: members of groups come back meanwhile.
constexpr Duration kGroupsReturnWithin = std::chrono::minutes{10};

// --- readers
// Waits for data of one partition at a time, over all readers; past it a wait ends at once.
constexpr size_t kMaxDataWaits = 400'000;
// The newest epochs of a partition that a new home tells the others.
constexpr size_t kMaxToldEpochs = 16;
constexpr size_t kMaxEpochs = 1000;  // of one partition; the oldest are forgotten

// --- checkpoints and upkeep
constexpr Duration kCheckpointInterval = std::chrono::minutes{5};  // if anything was appended
// How often the size of other journals' copies is looked at, which makes a checkpoint due as well.
constexpr Duration kCheckpointLook = std::chrono::seconds{5};
constexpr Duration kUpkeepInterval = std::chrono::seconds{5};
// --- damage
// How fast segments are read that nobody asked for, to find damage; the least time from the begin
// of one such check of all to the next; the time from a start to the first; the pause between two
// segments.
constexpr uint64_t kCheckBytesPerSecond = uint64_t{2} << 20;
constexpr Duration kCheckInterval = std::chrono::hours{1};
constexpr Duration kFirstCheckPause = std::chrono::minutes{1};
constexpr Duration kCheckPause = std::chrono::milliseconds{2};
// How fast a segment is read in which a read has found damage, and the pause after such checks.
constexpr uint64_t kSuspectBytesPerSecond = uint64_t{64} << 20;
constexpr Duration kSuspectPause = std::chrono::milliseconds{100};

// Partitions that upkeep, recovery and checkpoints handle before other fibers run.
constexpr size_t kPartitionsPerSlice = 64;
// An item of a snapshot with segments or producers of one partition, or with offsets of one group,
// ends with the entry that reaches this.
constexpr size_t kSnapshotItemBytes = size_t{64} * 1024;

}  // namespace meridian::queue
