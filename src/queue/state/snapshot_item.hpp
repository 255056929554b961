// The items of a snapshot of the queue's state: their bytes, and how they are made from the state
// and put back. Pure. A large partition or group has several items. The order is: the counters, all
// topics, then partitions and groups.
#pragma once

#include <cstdint>
#include <functional>
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

// Counters and topics, all of one moment.
SnapshotItems TopicItems(const QueueState& state);
// A partition with its epochs, segments and producers; `position` is where its segment files are
// synced. None when the topic is gone.
SnapshotItems PartitionItems(const QueueState& state, PartitionId id,
                             const PartitionPosition& position);
// A group's offsets. None when the group is gone.
SnapshotItems GroupItems(const QueueState& state, std::string_view group);

// Takes what the items say of a partition's segment files: its position with the first segments,
// then further segments in their order.
struct PositionSink {
  std::function<void(PartitionId id, PartitionPosition position)> set;
  // False: the segments do not follow those that are known, or there is no such partition.
  std::function<bool(PartitionId id, std::span<const SegmentPosition> segments)> add;
};

// Puts an item back into the state, and into `positions` what it says of segment files. kInvalid.
Result<void> RestoreItem(Bytes item, QueueState& state, const PositionSink& positions);

}  // namespace meridian::queue
