#include "queue/state/epoch_history.hpp"

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

TEST(EpochHistoryTest, HistoryIsBounded) {
  EpochHistory history;
  for (int epoch = 0; epoch <= static_cast<int>(kMaxEpochs); ++epoch) history.Add(epoch, epoch);
  EXPECT_EQ(history.starts().size(), kMaxEpochs);
  EXPECT_EQ(history.EndOf(0, 5000), EpochEnd{});
}

}  // namespace
}  // namespace meridian::queue
