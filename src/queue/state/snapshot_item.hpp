// The items of a snapshot of the queue's state: their bytes, and how they are made from the state
// and put back. Pure. A large partition or group has several items. The order is: the counters, all
// topics, then partitions and groups.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "queue/partition/partition_log.hpp"
#include "queue/state/queue_state.hpp"

namespace meridian::queue {

using SnapshotItems = std::vector<std::vector<uint8_t>>;

// Counters and topics, all of one moment.
SnapshotItems TopicItems(const QueueState& state);
// A partition with its epochs and producers; `position` is where its segment files are synced. None
// when the topic is gone.
SnapshotItems PartitionItems(const QueueState& state, PartitionId id,
                             const PartitionPosition& position);
// A group's offsets. None when the group is gone.
SnapshotItems GroupItems(const QueueState& state, std::string_view group);

// Puts an item back into the state. Calls `set_position` for that of a partition. kInvalid.
Result<void> RestoreItem(
    Bytes item, QueueState& state,
    const std::function<void(PartitionId id, PartitionPosition position)>& set_position);

}  // namespace meridian::queue
