#include "queue/state/epoch_history.hpp"

#include <initializer_list>

#include <gtest/gtest.h>

#include "queue/state/limits.hpp"

namespace meridian::queue {
namespace {

TEST(EpochHistoryTest, EpochEndsWhereTheNextBegins) {
  EpochHistory history;
  EXPECT_EQ(history.EndOf(0, 100), EpochEnd{});
  history.Add(2, 0);
  history.Add(2, 10);
  history.Add(5, 40);
  EXPECT_EQ(history.EndOf(1, 100), EpochEnd{});
  EXPECT_EQ(history.EndOf(2, 100), (EpochEnd{2, 40}));
  EXPECT_EQ(history.EndOf(4, 100), (EpochEnd{2, 40}));
  EXPECT_EQ(history.EndOf(5, 100), (EpochEnd{5, 100}));
  EXPECT_EQ(history.EndOf(9, 100), (EpochEnd{5, 100}));
}

TEST(EpochHistoryTest, EpochsBelowTheLogStartAreForgotten) {
  EpochHistory history;
  history.Add(1, 0);
  history.Add(2, 10);
  history.Add(3, 20);
  history.TrimBelow(15);
  EXPECT_EQ(history.starts().size(), 2U);
  EXPECT_EQ(history.EndOf(1, 100), EpochEnd{});
  EXPECT_EQ(history.EndOf(2, 100), (EpochEnd{2, 20}));
  history.TrimBelow(200);
  EXPECT_EQ(history.EndOf(3, 200), (EpochEnd{3, 200}));
}

EpochHistory HistoryOf(std::initializer_list<EpochStart> starts) {
  EpochHistory history;
  for (const EpochStart& start : starts) history.Add(start.epoch, start.start_offset);
  return history;
}

TEST(EpochHistoryTest, LogsHaveInCommonWhatBothHaveOfTheSameEpoch) {
  const EpochHistory home = HistoryOf({{0, 0}, {67, 30}});
  EXPECT_EQ(HistoryOf({{0, 0}}).CommonEnd(20, home, 50), 20) << "behind";
  EXPECT_EQ(HistoryOf({{0, 0}}).CommonEnd(40, home, 50), 30) << "a tail that the home lacks";
  EXPECT_EQ(HistoryOf({{0, 0}, {67, 30}}).CommonEnd(45, home, 50), 45);
  EXPECT_EQ(HistoryOf({{0, 0}, {67, 30}}).CommonEnd(60, home, 50), 50);
  EXPECT_EQ(EpochHistory().CommonEnd(0, home, 50), 0) << "nothing is here";
}

// Offsets of both were the same, and the batches were not.
TEST(EpochHistoryTest, BatchesOfAnEpochThatTheHomeNeverHadAreNotInCommon) {
  const EpochHistory home = HistoryOf({{0, 0}, {67, 30}});
  EXPECT_EQ(HistoryOf({{0, 0}, {66, 10}}).CommonEnd(40, home, 50), 10);
  EXPECT_EQ(HistoryOf({{0, 0}, {65, 5}, {66, 10}}).CommonEnd(40, home, 50), 5);
}

TEST(EpochHistoryTest, WhereTheHomesHistoryDoesNotReachBackNothingIsTakenForCommon) {
  const EpochHistory home = HistoryOf({{67, 30}});
  EXPECT_EQ(HistoryOf({{1, 7}, {2, 20}}).CommonEnd(40, home, 50), 7);
}

TEST(EpochHistoryTest, HistoryIsBounded) {
  EpochHistory history;
  for (int epoch = 0; epoch <= static_cast<int>(kMaxEpochs); ++epoch) history.Add(epoch, epoch);
  EXPECT_EQ(history.starts().size(), kMaxEpochs);
  EXPECT_EQ(history.EndOf(0, 5000), EpochEnd{});
}

}  // namespace
}  // namespace meridian::queue
