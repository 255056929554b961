#include "queue/lag_metrics.hpp"

#include <cstdint>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/metrics.hpp"
#include "queue/limits.hpp"
#include "queue/state/journal_record.hpp"
#include "queue/state/queue_state.hpp"

namespace meridian::queue {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

constexpr NodeId kHere = 1;
constexpr NodeId kElsewhere = 2;

class LagMetricsTest : public testing::Test {
 protected:
  LagMetricsTest() { MustApply(FormatRecord{.node = kHere}); }
  void Create(const std::string& name, NodeId home = kHere, uint32_t partitions = 1) {
    MustApply(TopicRecord{.topic = state_.next_topic_number(),
                          .uuid = {state_.next_topic_number(), 1},
                          .name = name,
                          .partitions = partitions,
                          .home = home});
  }
  PartitionState& At(const std::string& name, uint32_t partition = 0) {
    return *state_.FindPartition({state_.FindTopic(name)->number, partition});
  }
  void Commit(const std::string& group, const std::string& topic, int64_t offset,
              uint32_t partition = 0) {
    state_.groups().Set(group, {state_.FindTopic(topic)->number, partition}, {.offset = offset});
  }
  void MustApply(const JournalRecord& record) {
    auto applied = state_.Apply(record, {.end_offset = ++end_, .author = kHere});
    ASSERT_TRUE(applied) << applied.error().message;
  }
  // The series of a family, as "label/label/…" and their values.
  std::map<std::string, double> Series(const std::string& name) const {
    std::map<std::string, double> found;
    for (const MetricFamilyReading& family : metrics_.Read()) {
      if (family.name != name) continue;
      for (const auto& series : family.series) {
        std::string key;
        for (const auto& [label, value] : series.labels) key += (key.empty() ? "" : "/") + value;
        found[key] = series.value;
      }
    }
    return found;
  }
  std::map<std::string, double> Lag() {
    lag_.Update(state_, now_ms_);
    return Series("meridian_queue_group_lag_messages");
  }
  double Hidden() const { return Series("meridian_queue_group_lag_hidden_partitions").at(""); }

  QueueState state_{{}, kHere, kHere};
  Metrics metrics_;
  LagMetrics lag_{metrics_, {{"thumbnail", "uploads.thumbnail.dead-letter"}}};
  int64_t now_ms_ = 1'000'000;
  uint64_t end_ = 0;
};

TEST_F(LagMetricsTest, EachPartitionOfAGroupShowsWhatIsNotCommitted) {
  Create("uploads", kHere, 2);
  At("uploads", 0).end_offset = 10;
  At("uploads", 1).end_offset = 7;
  Commit("thumbnail", "uploads", 4, 0);
  Commit("thumbnail", "uploads", 7, 1);
  Commit("mail", "uploads", 0, 0);
  EXPECT_THAT(Lag(), ElementsAre(Pair("mail/uploads/0", 10), Pair("thumbnail/uploads/0", 6),
                                 Pair("thumbnail/uploads/1", 0)));
  EXPECT_EQ(Hidden(), 0);
  Commit("thumbnail", "uploads", 9, 0);
  EXPECT_EQ(Lag().at("thumbnail/uploads/0"), 1);
}

TEST_F(LagMetricsTest, RemovedMessagesAreNoLag) {
  Create("uploads");
  At("uploads").end_offset = 10;
  At("uploads").log_start_offset = 8;
  Commit("thumbnail", "uploads", 2);
  EXPECT_EQ(Lag().at("thumbnail/uploads/0"), 2);
}

TEST_F(LagMetricsTest, WhereTheHomeIsElsewhereTheEndThatIsKnownOfItCounts) {
  Create("uploads", kElsewhere);
  At("uploads").end_offset = 5;
  At("uploads").source_end = 12;  // the mirror here lacks 7 messages
  Commit("thumbnail", "uploads", 4);
  EXPECT_EQ(Lag().at("thumbnail/uploads/0"), 8);
}

TEST_F(LagMetricsTest, OnlyTheControllerShowsGroups) {
  Create("uploads");
  At("uploads").end_offset = 5;
  Commit("thumbnail", "uploads", 0);
  EXPECT_EQ(Lag().at("thumbnail/uploads/0"), 5);
  auto moved = state_.Apply(JournalRecord(ControllerMovedRecord{1}),
                            {.end_offset = ++end_, .author = kElsewhere});
  ASSERT_TRUE(moved);
  EXPECT_EQ(Lag().at("thumbnail/uploads/0"), 0);
}

TEST_F(LagMetricsTest, PastTheLimitPartitionsAreCountedAndNotShown) {
  Create("uploads", kHere, kMaxLagSeries);
  for (uint32_t partition = 0; partition < kMaxLagSeries; ++partition) {
    Commit("many", "uploads", 0, partition);
  }
  EXPECT_EQ(Lag().size(), kMaxLagSeries);
  EXPECT_EQ(Hidden(), 0);
  Commit("zebra", "uploads", 0, 0);
  Commit("zebra", "uploads", 0, 1);
  EXPECT_EQ(Lag().size(), kMaxLagSeries);
  EXPECT_EQ(Hidden(), 2);
  // A group that is gone makes room.
  state_.groups().Remove("many", {});
  At("uploads", 1).end_offset = 3;
  EXPECT_EQ(Lag().at("zebra/uploads/1"), 3);
  EXPECT_EQ(Lag().size(), kMaxLagSeries);
  EXPECT_EQ(Hidden(), 0);
}

TEST_F(LagMetricsTest, DeadLettersAreCountedAtTheHomeOfTheirTopic) {
  auto letters = [this] {
    lag_.Update(state_, now_ms_);
    return Series("meridian_queue_dead_letters").at("thumbnail");
  };
  EXPECT_EQ(letters(), 0) << "the topic is not there yet";
  Create("uploads.thumbnail.dead-letter", kHere, 2);
  At("uploads.thumbnail.dead-letter", 0).end_offset = 3;
  At("uploads.thumbnail.dead-letter", 1).end_offset = 9;
  At("uploads.thumbnail.dead-letter", 1).log_start_offset = 8;
  EXPECT_EQ(letters(), 4);
}

TEST_F(LagMetricsTest, NoDeadLettersAreShownBeforeTheyAreCounted) {
  Create("uploads.thumbnail.dead-letter");
  At("uploads.thumbnail.dead-letter").end_offset = 3;
  EXPECT_THAT(Series("meridian_queue_dead_letters"), IsEmpty());
  lag_.Update(state_, now_ms_);
  EXPECT_THAT(Series("meridian_queue_dead_letters"), ElementsAre(Pair("thumbnail", 3)));
}

TEST_F(LagMetricsTest, MessagesThatADelayHoldsBackAreNoLag) {
  MustApply(TopicRecord{.topic = state_.next_topic_number(),
                        .uuid = {9, 9},
                        .name = "later",
                        .partitions = 1,
                        .overrides = {{"meridian.delay.ms", "1000"}},
                        .home = kHere});
  At("later").end_offset = 5;
  At("later").delays.Add(0, 3, now_ms_ - 500, 1000);
  At("later").delays.Add(3, 5, now_ms_, 1000);
  Commit("thumbnail", "later", 0);
  EXPECT_EQ(Lag().at("thumbnail/later/0"), 0);
  now_ms_ += 600;
  EXPECT_EQ(Lag().at("thumbnail/later/0"), 3);
  now_ms_ += 2000;
  EXPECT_EQ(Lag().at("thumbnail/later/0"), 5);
}

}  // namespace
}  // namespace meridian::queue
