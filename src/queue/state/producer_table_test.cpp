#include "queue/state/producer_table.hpp"

#include <chrono>
#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "queue/state/limits.hpp"
#include "queue/state/refusal.hpp"

namespace meridian::queue {
namespace {

constexpr PartitionId kPartition{1, 0};
constexpr int32_t kMaxSequence = std::numeric_limits<int32_t>::max();

HybridTime At(Duration since) {
  return HybridTime::FromWall(WallTime{std::chrono::years{50}} + since);
}

ProducedBatch Batch(int32_t first, int32_t records, int16_t epoch = 0, int64_t id = 7) {
  return {.producer_id = id,
          .epoch = epoch,
          .first_sequence = first,
          .last_sequence = LastSequence(first, records)};
}

class ProducerTableTest : public testing::Test {
 protected:
  void Append(const ProducedBatch& batch, Duration since = {}) {
    table_.Add(kPartition, batch, offset_, At(since));
    offset_ += 10;
  }
  QueueError ErrorOf(const ProducedBatch& batch, Duration since = {}) {
    return table_.Check(kPartition, batch, At(since)).error;
  }
  int64_t DuplicateOf(const ProducedBatch& batch) {
    return table_.Check(kPartition, batch, At({})).duplicate_of;
  }

  ProducerTable table_;
  int64_t offset_ = 100;
};

TEST_F(ProducerTableTest, SequencesFollowEachOther) {
  EXPECT_EQ(ErrorOf(Batch(0, 5)), QueueError::kNone);
  Append(Batch(0, 5));
  EXPECT_EQ(ErrorOf(Batch(5, 1)), QueueError::kNone);
  EXPECT_EQ(ErrorOf(Batch(6, 1)), QueueError::kOutOfOrderSequence);
  EXPECT_EQ(ErrorOf(Batch(6, 1, 0, 8)), QueueError::kNone) << "an unknown producer";
}

TEST_F(ProducerTableTest, LastFiveBatchesAreRecognised) {
  for (int32_t i = 0; i < 7; ++i) Append(Batch(2 * i, 2));
  EXPECT_EQ(DuplicateOf(Batch(12, 2)), 160);
  EXPECT_EQ(DuplicateOf(Batch(4, 2)), 120);
  EXPECT_EQ(DuplicateOf(Batch(2, 2)), -1);
  EXPECT_EQ(ErrorOf(Batch(2, 2)), QueueError::kDuplicateSequence);
  EXPECT_EQ(ErrorOf(Batch(12, 3)), QueueError::kOutOfOrderSequence) << "another batch";
}

TEST_F(ProducerTableTest, NewEpochBeginsAtZeroAndFencesTheOld) {
  Append(Batch(0, 5));
  EXPECT_EQ(ErrorOf(Batch(5, 1, 1)), QueueError::kOutOfOrderSequence);
  EXPECT_EQ(ErrorOf(Batch(0, 1, 1)), QueueError::kNone);
  Append(Batch(0, 1, 1));
  EXPECT_EQ(ErrorOf(Batch(5, 1, 0)), QueueError::kInvalidProducerEpoch);
  EXPECT_EQ(DuplicateOf(Batch(0, 1, 1)), 110);
  EXPECT_EQ(ErrorOf(Batch(1, 1, 1)), QueueError::kNone);
}

TEST_F(ProducerTableTest, SequencesWrap) {
  Append(Batch(kMaxSequence - 1, 3));
  EXPECT_EQ(LastSequence(kMaxSequence - 1, 3), 0);
  EXPECT_EQ(ErrorOf(Batch(1, 1)), QueueError::kNone);
  EXPECT_EQ(DuplicateOf(Batch(kMaxSequence - 1, 3)), 100);
  Append(Batch(1, 1));
  EXPECT_EQ(ErrorOf(Batch(3, 1)), QueueError::kOutOfOrderSequence);
}

TEST_F(ProducerTableTest, IdleProducerIsForgotten) {
  Append(Batch(0, 5));
  EXPECT_EQ(ErrorOf(Batch(9, 1), kProducerExpiry), QueueError::kOutOfOrderSequence);
  Duration later = kProducerExpiry + std::chrono::seconds{1};
  EXPECT_EQ(ErrorOf(Batch(9, 1), later), QueueError::kNone);
  Append(Batch(0, 1, 0, 8), later);
  EXPECT_EQ(table_.size(), 1U);
  EXPECT_EQ(table_.evicted(), 0U);
}

TEST_F(ProducerTableTest, TooManyProducersEvictTheOneThatWasIdleLongest) {
  for (size_t i = 0; i <= kMaxProducers; ++i) {
    Append(Batch(0, 1, 0, static_cast<int64_t>(i)), std::chrono::milliseconds{i});
  }
  EXPECT_EQ(table_.size(), kMaxProducers);
  EXPECT_EQ(table_.evicted(), 1U);
  EXPECT_EQ(ErrorOf(Batch(5, 1, 0, 0)), QueueError::kNone) << "forgotten";
  EXPECT_EQ(ErrorOf(Batch(5, 1, 0, 1)), QueueError::kOutOfOrderSequence);
}

TEST_F(ProducerTableTest, StatesAreRestoredAsTheyWere) {
  for (int32_t i = 0; i < 7; ++i) Append(Batch(2 * i, 2, 3));
  ProducerTable other;
  other.Restore(kPartition, 7, {});
  for (const auto& [id, state] : table_.Of(kPartition)) other.Restore(kPartition, id, state);
  EXPECT_EQ(other.Of(kPartition), table_.Of(kPartition));
  EXPECT_EQ(other.size(), 1U);
}

TEST_F(ProducerTableTest, DeletedTopicTakesItsProducersWithIt) {
  table_.Add({1, 0}, Batch(0, 1), 0, At({}));
  table_.Add({1, 9}, Batch(0, 1), 0, At({}));
  table_.Add({2, 0}, Batch(0, 1), 0, At({}));
  table_.RemoveTopic(1);
  EXPECT_EQ(table_.size(), 1U);
  EXPECT_EQ(table_.Of({2, 0}).size(), 1U);
}

}  // namespace
}  // namespace meridian::queue
