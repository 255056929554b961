// The items of a snapshot of the queue's state: their bytes, and how they are made from the state
// and put back. Pure. A large partition or group has several items. The order is: the counters, all
// topics, then partitions and groups.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "queue/partition/partition_log.hpp"
#include "queue/partition/segment.hpp"
#include "queue/state/queue_state.hpp"

namespace meridian::queue {

using SnapshotItems = std::vector<std::vector<uint8_t>>;

// How far the journals of other data centers are applied: end offsets by the id of the journal.
using AppliedJournals = std::map<uint64_t, uint64_t>;

// Counters and topics, all of one moment.
SnapshotItems TopicItems(const QueueState& state);
// A partition with its epochs, segments and producers; `position` is where its segment files are
// synced. None when the topic is gone.
SnapshotItems PartitionItems(const QueueState& state, PartitionId id,
                             const PartitionPosition& position);
// A group's offsets. None when the group is gone.
SnapshotItems GroupItems(const QueueState& state, std::string_view group);

std::vector<uint8_t> AppliedJournalsItem(const AppliedJournals& applied);

// Takes what the items say of a partition's segment files: its position with the first segments,
// then further segments in their order.
struct PositionSink {
  std::function<void(PartitionId id, PartitionPosition position)> set;
  // False: the segments do not follow those that are known, or there is no such partition.
  std::function<bool(PartitionId id, std::span<const SegmentPosition> segments)> add;
};

// What of a snapshot is not part of the state.
struct RestoredBeside {
  const PositionSink& positions;
  AppliedJournals& applied;
};

// Puts an item back into the state, and beside it what is not part of that. kInvalid.
Result<void> RestoreItem(Bytes item, QueueState& state, RestoredBeside beside);

// Takes an item of another data center's snapshot into the state: what counts of it, on top of what
// is there. In the end EndLearning is due. kInvalid.
Result<Applied> LearnItem(Bytes item, QueueState& state, NodeId author);

}  // namespace meridian::queue
