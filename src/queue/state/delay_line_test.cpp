#include "queue/state/delay_line.hpp"

#include <cstdint>
#include <optional>

#include <gtest/gtest.h>

namespace meridian::queue {
namespace {

TEST(DelayLine, WithoutEntriesAllIsVisible) {
  DelayLine line;
  EXPECT_EQ(line.VisibleEnd(0, 1000, 42), 42);
  EXPECT_EQ(line.NextVisibleMs(0, 1000), std::nullopt);
}

TEST(DelayLine, ABatchIsVisibleWhenTheDelayHasPassedAndNotBefore) {
  DelayLine line;
  line.Add(5, 8, 10'000, 1000);
  line.Add(8, 9, 10'300, 1000);
  EXPECT_EQ(line.VisibleEnd(10'999, 1000, 9), 5);
  EXPECT_EQ(line.NextVisibleMs(10'999, 1000), 11'000);
  EXPECT_EQ(line.VisibleEnd(11'000, 1000, 9), 8);
  EXPECT_EQ(line.NextVisibleMs(11'000, 1000), 11'300);
  EXPECT_EQ(line.VisibleEnd(11'299, 1000, 9), 8);
  EXPECT_EQ(line.VisibleEnd(11'300, 1000, 9), 9);
  EXPECT_EQ(line.NextVisibleMs(11'300, 1000), std::nullopt);
}

TEST(DelayLine, NothingPastTheEndIsVisible) {
  DelayLine line;
  line.Add(5, 8, 10'000, 1000);
  EXPECT_EQ(line.VisibleEnd(20'000, 1000, 6), 6);
  EXPECT_EQ(line.VisibleEnd(10'000, 1000, 3), 3);
}

TEST(DelayLine, AClockThatFallsBackDoesNotChangeTheOrder) {
  DelayLine line;
  line.Add(0, 1, 10'000, 1000);
  line.Add(1, 2, 9'000, 1000);
  EXPECT_EQ(line.VisibleEnd(10'500, 1000, 2), 0);
  EXPECT_EQ(line.VisibleEnd(11'000, 1000, 2), 2);
}

TEST(DelayLine, EntriesAreBoundedAtAnyRateAndLateByAThousandthOfTheDelayAtMost) {
  DelayLine line;
  constexpr int64_t kDelay = 3'600'000;
  for (int64_t i = 0; i < 100'000; ++i) line.Add(i, i + 1, i * 100, kDelay);
  EXPECT_LE(line.entries().size(), 1'002u);
  for (int64_t i = 99'000; i < 100'000; i += 7) {
    const int64_t due = i * 100 + kDelay;
    EXPECT_LE(line.VisibleEnd(due - 1, kDelay, 100'000), i) << "early";
    EXPECT_GT(line.VisibleEnd(due + kDelay / 1000, kDelay, 100'000), i) << "late";
  }
}

TEST(DelayLine, AShorterDelayThatIsSetLaterShowsWhatIsDueByIt) {
  DelayLine line;
  line.Add(0, 1, 1'000, 60'000);
  line.Add(1, 2, 5'000, 60'000);
  EXPECT_EQ(line.VisibleEnd(6'000, 60'000, 2), 0);
  EXPECT_EQ(line.VisibleEnd(6'000, 4'000, 2), 1);
}

TEST(DelayLine, EntriesOfManyDelaysStayBounded) {
  DelayLine line;
  for (int64_t i = 0; i < 10'000; ++i) line.Add(i, i + 1, i, 1'000'000 - i);
  EXPECT_LE(line.entries().size(), kMaxDelayEntries);
  EXPECT_EQ(line.VisibleEnd(5'000'000, 1'000, 10'000), 10'000);
}

TEST(DelayLine, WhatIsCutOffLeavesTheRestAsItWas) {
  DelayLine line;
  line.Add(0, 3, 10'000, 1000);
  line.Add(3, 8, 10'300, 1000);
  line.CutFrom(5);
  EXPECT_EQ(line.VisibleEnd(11'000, 1000, 5), 3);
  line.Add(5, 6, 10'500, 1000);
  EXPECT_EQ(line.VisibleEnd(11'300, 1000, 6), 5);
  EXPECT_EQ(line.VisibleEnd(11'500, 1000, 6), 6);
  line.CutFrom(0);
  EXPECT_EQ(line.VisibleEnd(0, 1000, 0), 0);
  EXPECT_EQ(line.NextVisibleMs(0, 1000), std::nullopt);
}

TEST(DelayLine, ASnapshotGivesTheSameLine) {
  DelayLine line;
  line.Add(3, 4, 1'000, 500);
  line.Add(4, 9, 1'200, 500);
  DelayLine restored;
  restored.RestoreBegin(line.begin_offset());
  for (const DelayLine::Entry& entry : line.entries()) restored.Restore(entry);
  EXPECT_EQ(restored.entries(), line.entries());
  for (int64_t now = 1'400; now < 1'800; now += 50) {
    EXPECT_EQ(restored.VisibleEnd(now, 500, 9), line.VisibleEnd(now, 500, 9));
  }
}

}  // namespace
}  // namespace meridian::queue
