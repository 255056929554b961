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
#include "queue/state/delay_line.hpp"
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
  kAppliedJournals = 7,
  kDelays = 8,
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

std::vector<uint8_t> TopicItem(const QueueState& state, const Topic& topic) {
  PackedWriter out = Begin(Kind::kTopic);
  out.Raw(EncodeJournalRecord(state.RecordOf(topic)));
  return out.Take();
}

Result<TopicRecord> TakeTopic(PackedReader& in) {
  Result<JournalRecord> record = DecodeJournalRecord(in.Rest());
  if (!record) return Fail(std::move(record.error()));
  auto* topic = std::get_if<TopicRecord>(&*record);
  if (topic == nullptr) return Fail(Errc::kInvalid, "a snapshot's topic is no topic");
  return std::move(*topic);
}

Result<void> RestoreTopic(PackedReader& in, QueueState& state) {
  Result<TopicRecord> record = TakeTopic(in);
  if (!record) return Fail(std::move(record.error()));
  Topic topic{.number = record->topic,
              .uuid = record->uuid,
              .name = std::move(record->name),
              .overrides = std::move(record->overrides),
              .home = record->home,
              .leader_epoch = record->leader_epoch,
              .controller_epoch = record->controller_epoch};
  topic.partitions.resize(record->partitions);
  return state.RestoreTopic(std::move(topic));
}

std::vector<uint8_t> CountersItem(const QueueState& state) {
  PackedWriter out = Begin(Kind::kCounters);
  out.Unsigned(kJournalFormat);
  out.Unsigned(state.next_topic_number());
  out.Signed(state.producer_ids_end());
  out.Unsigned(state.topics_applied_end());
  out.Unsigned(state.controller().node);
  out.Signed(state.controller().epoch);
  out.Signed(state.max_epoch());
  out.Unsigned(state.own_move_end());
  out.Unsigned(state.deleted_topics().size());
  for (uint32_t number : state.deleted_topics()) out.Unsigned(number);
  return out.Take();
}

Result<QueueState::Counters> TakeCounters(PackedReader& in) {
  uint64_t format = in.Unsigned();
  if (in.ok() && format != kJournalFormat) {
    return Fail(Errc::kInvalid,
                "a snapshot of the queue has format {}, and this program knows only format {}",
                format, kJournalFormat);
  }
  QueueState::Counters counters;
  counters.next_topic_number = static_cast<uint32_t>(in.Bounded(kMaxNumber));
  counters.producer_ids_end = in.Signed();
  counters.applied_end = in.Unsigned();
  counters.controller.node = static_cast<NodeId>(in.Bounded(kMaxNodeId));
  counters.controller.epoch = static_cast<int32_t>(in.Signed());
  counters.max_epoch = static_cast<int32_t>(in.Signed());
  counters.own_move_end = in.Unsigned();
  size_t deleted = in.Bounded(kMaxDeletedTopics);
  for (size_t i = 0; i < deleted && in.ok(); ++i) {
    counters.deleted_topics.push_back(static_cast<uint32_t>(in.Bounded(kMaxNumber)));
  }
  if (Result<void> whole = CheckEnd(in, "counters"); !whole) return Fail(whole.error());
  return counters;
}

Result<void> RestoreCounters(PackedReader& in, QueueState& state) {
  Result<QueueState::Counters> counters = TakeCounters(in);
  if (!counters) return Fail(std::move(counters.error()));
  state.RestoreCounters(*counters);
  return {};
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
  out.Signed(partition.source_end);
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

struct TakenPartition {
  PartitionId id;
  PartitionState state;
  PartitionPosition position;
};

Result<TakenPartition> TakePartitionItem(PackedReader& in) {
  TakenPartition taken{.id = TakePartition(in)};
  PartitionState& restored = taken.state;
  restored.applied_end = in.Unsigned();
  restored.log_start_offset = in.Signed();
  restored.source_end = in.Signed();
  size_t epochs = in.Bounded(kMaxEpochs);
  for (size_t i = 0; i < epochs && in.ok(); ++i) {
    auto epoch = static_cast<int32_t>(in.Signed());
    restored.epochs.Add(epoch, in.Signed());
  }
  taken.position.log_start_offset = in.Signed();
  taken.position.end_offset = in.Signed();
  taken.position.segments = TakeSegments(in);
  restored.end_offset = taken.position.end_offset;
  if (Result<void> whole = CheckEnd(in, "a partition"); !whole) return Fail(whole.error());
  return taken;
}

Result<void> RestorePartition(PackedReader& in, QueueState& state, const PositionSink& positions) {
  Result<TakenPartition> taken = TakePartitionItem(in);
  if (!taken) return Fail(std::move(taken.error()));
  PartitionState* partition = state.FindPartition(taken->id);
  // A topic that was made after the snapshot's topics were written is replayed.
  if (partition == nullptr) return {};
  *partition = std::move(taken->state);
  positions.set(taken->id, std::move(taken->position));
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

void AddDelayItem(PartitionId id, const DelayLine& delays, SnapshotItems& items) {
  if (delays.entries().empty()) return;
  PackedWriter out = Begin(Kind::kDelays);
  Add(id, out);
  out.Signed(delays.begin_offset());
  for (const DelayLine::Entry& entry : delays.entries()) {
    out.Signed(entry.appended_ms);
    out.Signed(entry.next_offset);
  }
  items.push_back(out.Take());
}

Result<void> RestoreDelays(PackedReader& in, QueueState& state) {
  PartitionId id = TakePartition(in);
  DelayLine delays;
  delays.RestoreBegin(in.Signed());
  while (in.remaining() > 0 && in.ok()) {
    DelayLine::Entry entry;
    entry.appended_ms = in.Signed();
    entry.next_offset = in.Signed();
    if (in.ok()) delays.Restore(entry);
  }
  Result<void> whole = CheckEnd(in, "delays");
  PartitionState* partition = state.FindPartition(id);
  if (whole && partition != nullptr) partition->delays = std::move(delays);
  return whole;
}

// --- Groups --------------------------------------------------------------------------------------

PackedWriter BeginGroup(std::string_view name, const Group& group) {
  PackedWriter out = Begin(Kind::kGroup);
  out.Text(name);
  out.Unsigned(group.last_commit.bits);
  out.Unsigned(group.applied_end);
  return out;
}

// Calls `set(group, partition, committed)` for each offset, then `end(group, last_commit,
// applied_end)`.
template <class Set, class End>
Result<void> TakeGroup(PackedReader& in, const QueueState& state, Set set, End end) {
  std::string name = in.Text(kMaxGroupNameBytes);
  HybridTime last_commit{in.Unsigned()};
  uint64_t applied_end = in.Unsigned();
  while (in.remaining() > 0 && in.ok()) {
    PartitionId id = TakePartition(in);
    CommittedOffset committed;
    committed.offset = in.Signed();
    committed.leader_epoch = static_cast<int32_t>(in.Signed());
    committed.metadata = in.Text(kMaxOffsetMetadataBytes);
    if (in.ok() && state.FindPartition(id) != nullptr) set(name, id, committed);
  }
  end(name, last_commit, applied_end);
  return CheckEnd(in, "a group");
}

Result<void> RestoreGroup(PackedReader& in, QueueState& state) {
  GroupOffsets& groups = state.groups();
  return TakeGroup(
      in, state,
      [&groups](std::string_view name, PartitionId id, const CommittedOffset& committed) {
        groups.Set(name, id, committed);
      },
      [&groups](std::string_view name, HybridTime last_commit, uint64_t applied_end) {
        groups.Touch(name, last_commit, applied_end);
      });
}

Result<void> LearnTopic(PackedReader& in, QueueState& state, NodeId author, Applied& applied) {
  Result<TopicRecord> record = TakeTopic(in);
  if (!record) return Fail(std::move(record.error()));
  Result<Applied> done = state.Apply(*record, {.author = author});
  if (!done) return Fail(std::move(done.error()));
  applied = std::move(*done);
  return {};
}

Result<void> LearnPartition(PackedReader& in, QueueState& state, NodeId author, Applied& applied) {
  Result<TakenPartition> taken = TakePartitionItem(in);
  if (!taken) return Fail(std::move(taken.error()));
  auto cut = state.LearnPartition(taken->id, taken->state, author);
  if (cut) applied.cuts.emplace_back(taken->id, *cut);
  return {};
}

Result<void> LearnGroup(PackedReader& in, QueueState& state, NodeId author) {
  std::vector<std::pair<PartitionId, CommittedOffset>> offsets;
  return TakeGroup(
      in, state,
      [&offsets](std::string_view, PartitionId id, const CommittedOffset& committed) {
        offsets.emplace_back(id, committed);
      },
      [&](std::string_view name, HybridTime last_commit, uint64_t) {
        for (const auto& [id, committed] : offsets) {
          state.LearnOffset(name, id, committed, last_commit, author);
        }
      });
}

// --- How far other journals are applied ----------------------------------------------------------

Result<void> RestoreSources(PackedReader& in, AppliedJournals& applied) {
  while (in.remaining() > 0 && in.ok()) {
    uint64_t journal_id = in.Unsigned();
    applied[journal_id] = in.Unsigned();
  }
  return CheckEnd(in, "applied journals");
}

}  // namespace

SnapshotItems TopicItems(const QueueState& state) {
  SnapshotItems items;
  items.push_back(CountersItem(state));
  for (const auto& [number, topic] : state.topics()) items.push_back(TopicItem(state, topic));
  return items;
}

SnapshotItems PartitionItems(const QueueState& state, PartitionId id,
                             const PartitionPosition& position) {
  SnapshotItems items;
  const PartitionState* partition = state.FindPartition(id);
  if (partition == nullptr) return items;
  AddPartitionItems(id, *partition, position, items);
  AddDelayItem(id, partition->delays, items);
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

std::vector<uint8_t> AppliedJournalsItem(const AppliedJournals& applied) {
  PackedWriter out = Begin(Kind::kAppliedJournals);
  for (const auto& [journal_id, end_offset] : applied) {
    out.Unsigned(journal_id);
    out.Unsigned(end_offset);
  }
  return out.Take();
}

Result<void> RestoreItem(Bytes item, QueueState& state, RestoredBeside beside) {
  PackedReader in(item);
  uint8_t kind = in.U8();
  switch (static_cast<Kind>(kind)) {
    case Kind::kCounters:
      return RestoreCounters(in, state);
    case Kind::kTopic:
      return RestoreTopic(in, state);
    case Kind::kPartition:
      return RestorePartition(in, state, beside.positions);
    case Kind::kSegments:
      return RestoreSegments(in, state, beside.positions);
    case Kind::kProducers:
      return RestoreProducers(in, state);
    case Kind::kGroup:
      return RestoreGroup(in, state);
    case Kind::kAppliedJournals:
      return RestoreSources(in, beside.applied);
    case Kind::kDelays:
      return RestoreDelays(in, state);
  }
  return Fail(Errc::kInvalid, "a snapshot of the queue has an item of the unknown kind {}", kind);
}

Result<Applied> LearnItem(Bytes item, QueueState& state, NodeId author) {
  PackedReader in(item);
  Applied applied;
  Result<void> learned;
  uint8_t kind = in.U8();
  switch (static_cast<Kind>(kind)) {
    case Kind::kCounters: {
      Result<QueueState::Counters> counters = TakeCounters(in);
      if (!counters) return Fail(std::move(counters.error()));
      state.LearnCounters(*counters, author);
      break;
    }
    case Kind::kTopic:
      learned = LearnTopic(in, state, author, applied);
      break;
    case Kind::kPartition:
      learned = LearnPartition(in, state, author, applied);
      break;
    case Kind::kGroup:
      learned = LearnGroup(in, state, author);
      break;
    // Producers come back with the batches that are fetched.
    case Kind::kProducers:
    case Kind::kSegments:
    case Kind::kAppliedJournals:
    case Kind::kDelays:
      break;
    default:
      return Fail(Errc::kInvalid, "a snapshot of the queue has an item of the unknown kind {}",
                  kind);
  }
  if (!learned) return Fail(std::move(learned.error()));
  return applied;
}

}  // namespace meridian::queue
