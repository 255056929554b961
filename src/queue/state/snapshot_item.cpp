#include "queue/state/snapshot_item.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/hybrid_clock.hpp"
#include "base/result.hpp"
#include "queue/partition/partition_log.hpp"
#include "queue/partition/segment.hpp"
#include "queue/state/epoch_history.hpp"
#include "queue/state/group_offsets.hpp"
#include "queue/state/journal_record.hpp"
#include "queue/state/limits.hpp"
#include "queue/state/packed.hpp"
#include "queue/state/producer_table.hpp"
#include "queue/state/queue_state.hpp"

namespace meridian::queue {
namespace {

enum class Kind : uint8_t {
  kCounters = 1,
  kTopic = 2,
  kPartition = 3,
  kProducers = 4,
  kGroup = 5,
  kSegments = 6,
};

constexpr uint64_t kMaxNumber = std::numeric_limits<uint32_t>::max();

PackedWriter Begin(Kind kind) {
  PackedWriter out;
  out.U8(static_cast<uint8_t>(kind));
  return out;
}

void Add(PartitionId id, PackedWriter& out) {
  out.Unsigned(id.topic);
  out.Unsigned(id.partition);
}

PartitionId TakePartition(PackedReader& in) {
  auto topic = static_cast<uint32_t>(in.Bounded(kMaxNumber));
  return {topic, static_cast<uint32_t>(in.Bounded(kMaxPartitions))};
}

Result<void> CheckEnd(const PackedReader& in, std::string_view what) {
  if (in.at_end()) return {};
  return Fail(Errc::kInvalid, "a snapshot of the queue has a malformed item: {}", what);
}

// --- Topics --------------------------------------------------------------------------------------

// The creation of the topic as it is now is what has to be known of it.
std::vector<uint8_t> TopicItem(const Topic& topic) {
  PackedWriter out = Begin(Kind::kTopic);
  out.Signed(topic.leader_epoch);
  out.Raw(EncodeJournalRecord(
      TopicCreatedRecord{.topic = topic.number,
                         .uuid = topic.uuid,
                         .name = topic.name,
                         .partitions = static_cast<uint32_t>(topic.partitions.size()),
                         .overrides = topic.overrides}));
  return out.Take();
}

Result<void> RestoreTopic(PackedReader& in, QueueState& state) {
  auto epoch = static_cast<int32_t>(in.Signed());
  Result<JournalRecord> record = DecodeJournalRecord(in.Rest());
  if (!record) return Fail(std::move(record.error()));
  auto* created = std::get_if<TopicCreatedRecord>(&*record);
  if (created == nullptr) return Fail(Errc::kInvalid, "a snapshot's topic is no topic");
  Topic topic{.number = created->topic,
              .uuid = created->uuid,
              .name = std::move(created->name),
              .overrides = std::move(created->overrides),
              .leader_epoch = epoch};
  topic.partitions.resize(created->partitions);
  return state.RestoreTopic(std::move(topic));
}

std::vector<uint8_t> CountersItem(const QueueState& state) {
  PackedWriter out = Begin(Kind::kCounters);
  out.Unsigned(kJournalFormat);
  out.Unsigned(state.next_topic_number());
  out.Signed(state.producer_ids_end());
  out.Unsigned(state.topics_applied_end());
  return out.Take();
}

Result<void> RestoreCounters(PackedReader& in, QueueState& state) {
  uint64_t format = in.Unsigned();
  if (in.ok() && format != kJournalFormat) {
    return Fail(Errc::kInvalid,
                "a snapshot of the queue has format {}, and this program knows only format {}",
                format, kJournalFormat);
  }
  auto next_number = static_cast<uint32_t>(in.Bounded(kMaxNumber));
  int64_t ids_end = in.Signed();
  uint64_t applied_end = in.Unsigned();
  Result<void> whole = CheckEnd(in, "counters");
  if (whole) state.RestoreCounters(next_number, ids_end, applied_end);
  return whole;
}

// --- Partitions ----------------------------------------------------------------------------------

// Segments from `next` on, until the item is large enough.
std::vector<uint8_t> WithSegments(PackedWriter out, std::span<const SegmentPosition> segments,
                                  size_t& next) {
  while (next < segments.size() && out.size() < kSnapshotItemBytes) {
    const SegmentPosition& segment = segments[next++];
    out.Signed(segment.base_offset);
    out.Unsigned(segment.generation);
    out.Signed(segment.end_offset);
    out.Unsigned(segment.bytes);
    out.Signed(segment.first_timestamp_ms);
    out.Signed(segment.max_timestamp_ms);
  }
  return out.Take();
}

void AddPartitionItems(PartitionId id, const PartitionState& partition,
                       const PartitionPosition& position, SnapshotItems& items) {
  PackedWriter out = Begin(Kind::kPartition);
  Add(id, out);
  out.Unsigned(partition.applied_end);
  out.Signed(partition.log_start_offset);
  out.Unsigned(partition.epochs.starts().size());
  for (const EpochStart& start : partition.epochs.starts()) {
    out.Signed(start.epoch);
    out.Signed(start.start_offset);
  }
  out.Signed(position.log_start_offset);
  out.Signed(position.end_offset);
  size_t next = 0;
  items.push_back(WithSegments(std::move(out), position.segments, next));
  while (next < position.segments.size()) {
    out = Begin(Kind::kSegments);
    Add(id, out);
    items.push_back(WithSegments(std::move(out), position.segments, next));
  }
}

std::vector<SegmentPosition> TakeSegments(PackedReader& in) {
  std::vector<SegmentPosition> segments;
  while (in.remaining() > 0 && in.ok()) {
    SegmentPosition segment;
    segment.base_offset = in.Signed();
    segment.generation = static_cast<uint32_t>(in.Bounded(kMaxNumber));
    segment.end_offset = in.Signed();
    segment.bytes = in.Unsigned();
    segment.first_timestamp_ms = in.Signed();
    segment.max_timestamp_ms = in.Signed();
    segments.push_back(segment);
  }
  return segments;
}

Result<void> RestorePartition(PackedReader& in, QueueState& state, const PositionSink& positions) {
  PartitionId id = TakePartition(in);
  PartitionState restored;
  restored.applied_end = in.Unsigned();
  restored.log_start_offset = in.Signed();
  size_t epochs = in.Bounded(kMaxEpochs);
  for (size_t i = 0; i < epochs && in.ok(); ++i) {
    auto epoch = static_cast<int32_t>(in.Signed());
    restored.epochs.Add(epoch, in.Signed());
  }
  PartitionPosition position;
  position.log_start_offset = in.Signed();
  position.end_offset = in.Signed();
  position.segments = TakeSegments(in);
  if (Result<void> whole = CheckEnd(in, "a partition"); !whole) return whole;
  PartitionState* partition = state.FindPartition(id);
  if (partition == nullptr) {
    // The topic was made after the snapshot's topics were written: it is replayed.
    return {};
  }
  restored.end_offset = position.end_offset;
  *partition = std::move(restored);
  positions.set(id, std::move(position));
  return {};
}

Result<void> RestoreSegments(PackedReader& in, const QueueState& state,
                             const PositionSink& positions) {
  PartitionId id = TakePartition(in);
  std::vector<SegmentPosition> segments = TakeSegments(in);
  if (Result<void> whole = CheckEnd(in, "segments"); !whole) return whole;
  if (state.FindPartition(id) == nullptr || positions.add(id, segments)) return {};
  return Fail(
      Errc::kInvalid,
      "a snapshot of the queue has segments of partition {} of topic number {} out of place",
      id.partition, id.topic);
}

void AddState(int64_t producer_id, const ProducerState& state, PackedWriter& out) {
  out.Signed(producer_id);
  out.Signed(state.epoch);
  out.Unsigned(state.last_time.bits);
  out.Unsigned(state.count);
  for (const RememberedBatch& batch : state.remembered()) {
    out.Signed(batch.first_sequence);
    out.Signed(batch.last_sequence);
    out.Signed(batch.base_offset);
  }
}

void AddProducerItems(const QueueState& state, PartitionId id, SnapshotItems& items) {
  PackedWriter out;
  auto producers = state.producers().Of(id);
  for (size_t i = 0; i < producers.size(); ++i) {
    if (out.size() == 0) {
      out = Begin(Kind::kProducers);
      Add(id, out);
    }
    AddState(producers[i].first, producers[i].second, out);
    if (out.size() >= kSnapshotItemBytes || i + 1 == producers.size()) items.push_back(out.Take());
  }
}

Result<void> RestoreProducers(PackedReader& in, QueueState& state) {
  PartitionId id = TakePartition(in);
  while (in.remaining() > 0 && in.ok()) {
    int64_t producer_id = in.Signed();
    ProducerState producer;
    producer.epoch = static_cast<int16_t>(in.Signed());
    producer.last_time = {in.Unsigned()};
    size_t count = in.Bounded(kRememberedBatches);
    for (size_t i = 0; i < count; ++i) {
      RememberedBatch batch;
      batch.first_sequence = static_cast<int32_t>(in.Signed());
      batch.last_sequence = static_cast<int32_t>(in.Signed());
      batch.base_offset = in.Signed();
      producer.Remember(batch);
    }
    if (in.ok() && count > 0 && state.FindPartition(id) != nullptr) {
      state.producers().Restore(id, producer_id, producer);
    }
  }
  return CheckEnd(in, "producers");
}

// --- Groups --------------------------------------------------------------------------------------

PackedWriter BeginGroup(std::string_view name, const Group& group) {
  PackedWriter out = Begin(Kind::kGroup);
  out.Text(name);
  out.Unsigned(group.last_commit.bits);
  out.Unsigned(group.applied_end);
  return out;
}

Result<void> RestoreGroup(PackedReader& in, QueueState& state) {
  std::string name = in.Text(kMaxGroupNameBytes);
  HybridTime last_commit{in.Unsigned()};
  uint64_t applied_end = in.Unsigned();
  while (in.remaining() > 0 && in.ok()) {
    PartitionId id = TakePartition(in);
    CommittedOffset committed;
    committed.offset = in.Signed();
    committed.leader_epoch = static_cast<int32_t>(in.Signed());
    committed.metadata = in.Text(kMaxOffsetMetadataBytes);
    if (in.ok() && state.FindPartition(id) != nullptr) state.groups().Set(name, id, committed);
  }
  state.groups().Touch(name, last_commit, applied_end);
  return CheckEnd(in, "a group");
}

}  // namespace

SnapshotItems TopicItems(const QueueState& state) {
  SnapshotItems items;
  items.push_back(CountersItem(state));
  for (const auto& [number, topic] : state.topics()) items.push_back(TopicItem(topic));
  return items;
}

SnapshotItems PartitionItems(const QueueState& state, PartitionId id,
                             const PartitionPosition& position) {
  SnapshotItems items;
  const PartitionState* partition = state.FindPartition(id);
  if (partition == nullptr) return items;
  AddPartitionItems(id, *partition, position, items);
  AddProducerItems(state, id, items);
  return items;
}

SnapshotItems GroupItems(const QueueState& state, std::string_view name) {
  SnapshotItems items;
  const Group* group = state.groups().Find(name);
  if (group == nullptr) return items;
  PackedWriter out;
  size_t left = group->offsets.size();
  for (const auto& [id, committed] : group->offsets) {
    if (out.size() == 0) out = BeginGroup(name, *group);
    Add(id, out);
    out.Signed(committed.offset);
    out.Signed(committed.leader_epoch);
    out.Text(committed.metadata);
    --left;
    if (out.size() >= kSnapshotItemBytes || left == 0) items.push_back(out.Take());
  }
  return items;
}

Result<void> RestoreItem(Bytes item, QueueState& state, const PositionSink& positions) {
  PackedReader in(item);
  uint8_t kind = in.U8();
  switch (static_cast<Kind>(kind)) {
    case Kind::kCounters:
      return RestoreCounters(in, state);
    case Kind::kTopic:
      return RestoreTopic(in, state);
    case Kind::kPartition:
      return RestorePartition(in, state, positions);
    case Kind::kSegments:
      return RestoreSegments(in, state, positions);
    case Kind::kProducers:
      return RestoreProducers(in, state);
    case Kind::kGroup:
      return RestoreGroup(in, state);
  }
  return Fail(Errc::kInvalid, "a snapshot of the queue has an item of the unknown kind {}", kind);
}

}  // namespace meridian::queue
