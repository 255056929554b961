#include "queue/state/queue_state.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "base/hybrid_clock.hpp"
#include "queue/state/journal_record.hpp"
#include "queue/state/limits.hpp"
#include "queue/state/snapshot_item.hpp"
#include "store/limits.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::queue {
namespace {

constexpr PartitionId kPartition{1, 0};

wire::kafka::BatchHeader Header(int64_t base_offset, int32_t records, int64_t producer_id = -1) {
  return {.base_offset = base_offset,
          .leader_epoch = 0,
          .last_offset_delta = records - 1,
          .producer_id = producer_id,
          .producer_epoch = 0,
          .base_sequence = static_cast<int32_t>(base_offset),
          .record_count = records};
}

class QueueStateTest : public testing::Test {
 protected:
  QueueStateTest() {
    Must(FormatRecord{});
    Must(TopicRecord{.topic = 1, .name = "orders", .partitions = 2});
  }
  Result<Applied> Apply(const JournalRecord& record) {
    ++end_;
    return state_.Apply(record, {.end_offset = end_, .time = HybridTime{end_}});
  }
  void Must(const JournalRecord& record) {
    Result<Applied> effect = Apply(record);
    EXPECT_TRUE(effect) << effect.error().message;
  }
  BatchEffect Batch(int64_t base_offset, int32_t records, int64_t producer_id = -1) {
    ++end_;
    auto effect = state_.ApplyBatch(kPartition, Header(base_offset, records, producer_id),
                                    {.end_offset = end_, .time = HybridTime{end_}});
    EXPECT_TRUE(effect) << effect.error().message;
    return effect.value_or(BatchEffect::kNone);
  }

  QueueState state_;
  uint64_t end_ = 0;
};

TEST_F(QueueStateTest, JournalBeginsWithItsFormat) {
  QueueState state;
  EXPECT_FALSE(state.Apply(TopicDeletedRecord{1}, {.end_offset = 1}));
}

TEST_F(QueueStateTest, BatchesFollowEachOther) {
  EXPECT_EQ(Batch(0, 3), BatchEffect::kWrite);
  EXPECT_EQ(Batch(3, 1), BatchEffect::kWrite);
  EXPECT_EQ(Batch(0, 3), BatchEffect::kBelow) << "the segment files have it";
  EXPECT_FALSE(state_.ApplyBatch(kPartition, Header(5, 1), {.end_offset = end_ + 1}));
  auto gone = state_.ApplyBatch({9, 0}, Header(5, 1), {.end_offset = end_ + 1});
  EXPECT_EQ(gone.value(), BatchEffect::kNone) << "a topic that is gone";
  EXPECT_EQ(state_.FindPartition(kPartition)->end_offset, 4);
}

TEST_F(QueueStateTest, RecordsThatDoNotFitAreRefused) {
  EXPECT_FALSE(Apply(TopicRecord{.topic = 2, .name = "orders", .partitions = 1}));
  EXPECT_FALSE(Apply(TopicRecord{.topic = 1, .name = "other", .partitions = 1}));
  EXPECT_FALSE(Apply(TopicRecord{.topic = 2, .name = "other", .partitions = 0}));
  EXPECT_FALSE(Apply(TopicRecord{.topic = 2, .name = "other", .partitions = kMaxPartitions - 1}));
  EXPECT_FALSE(
      Apply(TopicRecord{.topic = 2, .name = "other", .partitions = 1, .overrides = {{"x", "y"}}}));
  EXPECT_FALSE(Apply(TopicDeletedRecord{2}));
  EXPECT_FALSE(Apply(PartitionsAddedRecord{1, 1}));
  EXPECT_FALSE(Apply(PartitionsAddedRecord{1, kMaxPartitions + 1}));
  EXPECT_FALSE(Apply(TopicConfiguredRecord{1, {{"x", "y"}}}));
  EXPECT_EQ(state_.topics().size(), 1U);
  EXPECT_EQ(state_.partitions(), 2U);
}

TEST_F(QueueStateTest, DeletedTopicTakesEverythingWithIt) {
  Batch(0, 1, 7);
  Must(OffsetsCommittedRecord{"billing", {{kPartition, {.offset = 1}}}});
  Must(TopicDeletedRecord{1});
  EXPECT_EQ(state_.partitions(), 0U);
  EXPECT_EQ(state_.producers().size(), 0U);
  EXPECT_EQ(state_.groups().size(), 0U);
  EXPECT_EQ(state_.FindTopic("orders"), nullptr);
  Must(OffsetsCommittedRecord{"billing", {{kPartition, {.offset = 1}}}});
  EXPECT_EQ(state_.groups().size(), 0U);
  Must(TopicRecord{.topic = 2, .name = "orders", .partitions = 1});
  EXPECT_EQ(state_.FindTopic("orders")->number, 2U);
}

// Loads what was written of the state; the positions are as given.
class SnapshotTest : public QueueStateTest {
 protected:
  SnapshotItems Items(const std::map<PartitionId, PartitionPosition>& positions) {
    SnapshotItems items = TopicItems(state_);
    auto add = [&items](SnapshotItems more) {
      for (auto& item : more) items.push_back(std::move(item));
    };
    for (const auto& [id, position] : positions) add(PartitionItems(state_, id, position));
    for (const auto& [name, group] : state_.groups().groups()) add(GroupItems(state_, name));
    return items;
  }
  static Result<void> Load(const SnapshotItems& items, QueueState& state,
                           std::map<PartitionId, PartitionPosition>* positions = nullptr) {
    AppliedJournals applied;
    for (const auto& item : items) {
      PositionSink sink;
      sink.set = [&](PartitionId id, PartitionPosition position) {
        if (positions != nullptr) (*positions)[id] = std::move(position);
      };
      sink.add = [&](PartitionId id, std::span<const SegmentPosition> segments) {
        if (positions == nullptr) return false;
        auto& known = (*positions)[id].segments;
        known.insert(known.end(), segments.begin(), segments.end());
        return true;
      };
      Result<void> restored = RestoreItem(item, state, {.positions = sink, .applied = applied});
      if (!restored) return restored;
    }
    return {};
  }
};

TEST_F(SnapshotTest, StateIsRestoredAsItWas) {
  Batch(0, 3, 7);
  Batch(3, 1, 8);
  Must(TopicConfiguredRecord{1, {{"retention.ms", "5000"}}});
  Must(TopicRecord{.topic = 1,
                   .name = "orders",
                   .partitions = 2,
                   .overrides = {{"retention.ms", "5000"}},
                   .leader_epoch = 4,
                   .at_home = {{.end_offset = 4, .epochs = {{0, 0}}}, {}}});
  Must(ProducerIdsRecord{9000});
  Must(LogStartMovedRecord{kPartition, 2});
  Must(OffsetsCommittedRecord{"billing", {{kPartition, {.offset = 1, .metadata = "m"}}}});
  std::map<PartitionId, PartitionPosition> positions;
  positions[kPartition] = {.log_start_offset = 2,
                           .end_offset = 4,
                           .segments = {{.base_offset = 0,
                                         .generation = 2,
                                         .end_offset = 4,
                                         .bytes = 500,
                                         .first_timestamp_ms = 3,
                                         .max_timestamp_ms = 5}}};
  positions[{1, 1}] = {};
  QueueState other;
  std::map<PartitionId, PartitionPosition> loaded;
  ASSERT_TRUE(Load(Items(positions), other, &loaded));
  EXPECT_EQ(loaded, positions);
  EXPECT_EQ(other.FindTopic("orders")->config.retention_ms, 5000);
  EXPECT_EQ(other.FindTopic("orders")->leader_epoch, 4);
  EXPECT_EQ(other.producer_ids_end(), 9000);
  EXPECT_EQ(other.next_topic_number(), 2U);
  EXPECT_EQ(other.FindPartition(kPartition)->end_offset, 4);
  EXPECT_EQ(other.FindPartition(kPartition)->log_start_offset, 2);
  EXPECT_EQ(other.FindPartition(kPartition)->epochs.EndOf(0, 4), (EpochEnd{0, 4}));
  EXPECT_FALSE(other.FindPartition(kPartition)->missing);
  EXPECT_EQ(other.producers().Of(kPartition), state_.producers().Of(kPartition));
  EXPECT_EQ(*other.groups().Find("billing"), *state_.groups().Find("billing"));
}

TEST_F(SnapshotTest, ReplayOfWhatTheSnapshotHasChangesNothing) {
  Must(OffsetsCommittedRecord{"billing", {{kPartition, {.offset = 1}}}});
  uint64_t first_commit = end_;
  Must(OffsetsCommittedRecord{"billing", {{kPartition, {.offset = 2}}}});
  Batch(0, 1, 7);
  uint64_t first_batch = end_;
  Batch(1, 1, 7);
  QueueState other;
  // The segment files are synced up to the first batch only.
  ASSERT_TRUE(Load(Items({{kPartition, {.end_offset = 1}}, {{1, 1}, {}}}), other));
  ASSERT_TRUE(other.Apply(OffsetsCommittedRecord{"billing", {{kPartition, {.offset = 1}}}},
                          {.end_offset = first_commit}));
  EXPECT_EQ(other.groups().Find("billing")->offsets.at(kPartition).offset, 2);
  auto replay = [&](int64_t offset, uint64_t end) {
    return other.ApplyBatch(kPartition, Header(offset, 1, 7), {.end_offset = end}).value();
  };
  EXPECT_EQ(replay(0, first_batch), BatchEffect::kBelow);
  EXPECT_EQ(replay(1, first_batch + 1), BatchEffect::kWrite);
  EXPECT_EQ(other.producers().Of(kPartition), state_.producers().Of(kPartition));
  // Topics are not made a second time.
  EXPECT_TRUE(
      other.Apply(TopicRecord{.topic = 1, .name = "orders", .partitions = 2}, {.end_offset = 2}));
  EXPECT_EQ(other.partitions(), 2U);
}

TEST_F(SnapshotTest, TopicThatIsDeletedWhileTheSnapshotIsWrittenIsDeletedByTheReplay) {
  SnapshotItems items = TopicItems(state_);
  QueueState other;
  ASSERT_TRUE(Load(items, other));
  EXPECT_TRUE(other.FindPartition(kPartition)->missing);
  auto effect = other.ApplyBatch(kPartition, Header(40, 1), {.end_offset = end_ + 1});
  EXPECT_EQ(effect.value(), BatchEffect::kNone);
  EXPECT_TRUE(other.Apply(TopicDeletedRecord{1}, {.end_offset = end_ + 2}));
  EXPECT_EQ(other.partitions(), 0U);
}

TEST_F(SnapshotTest, LargePartitionsAndGroupsHaveSeveralItems) {
  for (int64_t id = 0; id < 5000; ++id) Batch(id, 1, id);
  OffsetsCommittedRecord commit{.group = "billing"};
  std::string metadata(kMaxOffsetMetadataBytes, 'm');
  Must(PartitionsAddedRecord{1, 100});
  for (uint32_t i = 0; i < 100; ++i) {
    commit.entries.push_back({{1, i}, {.offset = i, .metadata = metadata}});
  }
  Must(commit);
  SnapshotItems items = Items({{kPartition, {.end_offset = 5000}}});
  for (const auto& item : items) EXPECT_LT(item.size(), 2 * kSnapshotItemBytes);
  EXPECT_GT(items.size(), 8U);
  QueueState other;
  ASSERT_TRUE(Load(items, other));
  EXPECT_EQ(other.producers().size(), 5000U);
  EXPECT_EQ(*other.groups().Find("billing"), *state_.groups().Find("billing"));
}

// All segments were in one item, and past 8 MiB no checkpoint succeeded any more.
TEST_F(SnapshotTest, PartitionWithManySegmentsHasItemsThatFitASnapshot) {
  constexpr int64_t kSegments = 500'000;
  Batch(0, kSegments, 7);
  PartitionPosition position{.end_offset = kSegments};
  for (int64_t i = 0; i < kSegments; ++i) {
    position.segments.push_back({.base_offset = i,
                                 .end_offset = i + 1,
                                 .bytes = 70,
                                 .first_timestamp_ms = 1'700'000'000'000,
                                 .max_timestamp_ms = 1'700'000'000'000});
  }
  std::map<PartitionId, PartitionPosition> positions{{kPartition, position}, {{1, 1}, {}}};
  SnapshotItems items = Items(positions);
  size_t bytes = 0;
  for (const auto& item : items) {
    EXPECT_LT(item.size(), 2 * kSnapshotItemBytes);
    bytes += item.size();
  }
  EXPECT_GT(bytes, store::kMaxSnapshotItemBytes);
  QueueState other;
  std::map<PartitionId, PartitionPosition> loaded;
  ASSERT_TRUE(Load(items, other, &loaded));
  EXPECT_EQ(loaded, positions);
  EXPECT_FALSE(Load({items[4]}, other)) << "segments that the sink did not take";
}

TEST_F(SnapshotTest, MalformedItemsAreRefused) {
  Batch(0, 3, 7);
  Must(OffsetsCommittedRecord{"billing", {{kPartition, {.offset = 1, .metadata = "m"}}}});
  SnapshotItems items = Items({{kPartition, {.end_offset = 3}}});
  for (size_t i = 0; i < items.size(); ++i) {
    QueueState before;
    SnapshotItems first(items.begin(), items.begin() + static_cast<ptrdiff_t>(i));
    ASSERT_TRUE(Load(first, before));
    std::vector<uint8_t> cut = items[i];
    cut.pop_back();
    EXPECT_FALSE(Load({cut}, before)) << "item " << i;
  }
  QueueState other;
  EXPECT_FALSE(Load({{99}}, other));
  EXPECT_FALSE(Load({{1, kJournalFormat + 1, 1, 0, 0}}, other)) << "another format";
  ASSERT_TRUE(Load(items, other));
  EXPECT_FALSE(Load({items[1]}, other)) << "the topic a second time";
}

}  // namespace
}  // namespace meridian::queue
