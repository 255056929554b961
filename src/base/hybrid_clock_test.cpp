#include "base/hybrid_clock.hpp"

#include <vector>

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace meridian {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class HybridClockTest : public testing::Test {
 protected:
  HybridTime WallStamp() { return HybridTime::FromWall(wall_.Wall()); }
  HybridTime Ahead(Duration by) { return HybridTime::FromWall(wall_.Wall() + by); }

  ManualClock wall_;
  HybridClock clock_{wall_, seconds{5}};
};

TEST_F(HybridClockTest, StampFollowsTheWallClock) {
  EXPECT_EQ(clock_.Now(), WallStamp());
  wall_.Advance(milliseconds{3});
  EXPECT_EQ(clock_.Now(), WallStamp());
}

TEST_F(HybridClockTest, StampsOfOneMillisecondAreCounted) {
  HybridTime first = clock_.Now().value();
  HybridTime second = clock_.Now().value();
  EXPECT_EQ(second.milliseconds(), first.milliseconds());
  EXPECT_EQ(second.counter(), first.counter() + 1);
}

TEST_F(HybridClockTest, CountThatOverflowsCarriesIntoTheMilliseconds) {
  HybridTime full{WallStamp().bits | 0xffff};
  ASSERT_TRUE(clock_.Observe(full));
  HybridTime next = clock_.Now().value();
  EXPECT_EQ(next.milliseconds(), full.milliseconds() + 1);
  EXPECT_EQ(next.counter(), 0);
}

TEST_F(HybridClockTest, WallClockThatStepsBackDoesNotTakeStampsBack) {
  HybridTime before = clock_.Now().value();
  wall_.SkewWall(-seconds{100});
  EXPECT_GT(clock_.Now().value(), before);
  EXPECT_GT(clock_.LeadOf(clock_.last()), seconds{99});
}

TEST_F(HybridClockTest, StampAfterAnObservedOneIsGreater) {
  HybridTime remote = Ahead(seconds{4});
  ASSERT_TRUE(clock_.Observe(remote));
  EXPECT_GT(clock_.Now().value(), remote);
}

TEST_F(HybridClockTest, StampAtTheMaximumLeadIsObservedAndOneBeyondIsRefusedWithItsLead) {
  EXPECT_TRUE(clock_.Observe(Ahead(seconds{5})));
  HybridTime last = clock_.last();
  Result<void> refused = clock_.Observe(Ahead(seconds{5} + milliseconds{1}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kInvalid);
  EXPECT_EQ(refused.error().message,
            "a stamp from 5.001 s in the future; at most 5.000 s are allowed");
  EXPECT_EQ(clock_.last(), last) << "a refused stamp changes nothing";
  EXPECT_FALSE(clock_.Observe(HybridTime::Max()));
}

TEST_F(HybridClockTest, NoStampReachesTheBound) {
  ASSERT_TRUE(clock_.Now());
  HybridTime bound{clock_.last().bits + 2};
  clock_.SetBound(bound);
  EXPECT_LT(clock_.Now().value(), bound);
  Result<HybridTime> past = clock_.Now();
  ASSERT_FALSE(past);
  EXPECT_EQ(past.error().code, Errc::kUnavailable);
  clock_.SetBound(clock_.WantedBound(seconds{1}));
  EXPECT_TRUE(clock_.Now());
}

TEST_F(HybridClockTest, ObservedStampAtTheBoundWaitsForAHigherBound) {
  clock_.SetBound(clock_.WantedBound(seconds{1}));
  HybridTime remote = Ahead(seconds{2});
  Result<void> refused = clock_.Observe(remote);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kUnavailable);
  clock_.SetBound(clock_.WantedBound(seconds{1}, remote));
  EXPECT_TRUE(clock_.Observe(remote));
  EXPECT_TRUE(clock_.Now());
}

TEST_F(HybridClockTest, NextLifeBeginsAboveTheBoundThoughTheWallClockWentBack) {
  clock_.SetBound(clock_.WantedBound(seconds{1}));
  HybridTime last = clock_.Now().value();
  wall_.SkewWall(-std::chrono::hours{1});
  HybridClock next(wall_, seconds{5});
  next.StartAt(clock_.bound());
  EXPECT_GT(next.Now().value(), last);
}

TEST(HybridTimeTest, WallTimeBeforeTheEpochIsTheFirstStamp) {
  EXPECT_EQ(HybridTime::FromWall(WallTime{-seconds{1}}), HybridTime{});
}

// Machines whose clocks are wrong, drift and step send each other stamps in an order drawn by the
// seed. Every stamp that a machine sends is greater than all stamps that it received before.
TEST(HybridClockPropertyTest, StampsKeepTheOrderOfCauseAndEffect) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    Random random(seed);
    std::vector<ManualClock> walls(4);
    std::vector<HybridClock> clocks;
    for (auto& wall : walls) {
      wall.SkewWall(milliseconds{random.Below(2000)});
      clocks.emplace_back(wall, seconds{1000});
    }
    for (int step = 0; step < 500; ++step) {
      size_t from = random.Below(clocks.size());
      size_t to = random.Below(clocks.size());
      if (random.Chance(0.1))
        walls[from].SkewWall(milliseconds{1000} - milliseconds{random.Below(2000)});
      for (auto& wall : walls) wall.Advance(milliseconds{random.Below(3)});
      HybridTime before = clocks[to].last();
      HybridTime sent = clocks[from].Now().value();
      ASSERT_TRUE(clocks[to].Observe(sent));
      HybridTime effect = clocks[to].Now().value();
      ASSERT_GT(effect, sent) << seed;
      ASSERT_GT(effect, before) << seed;
    }
  }
}

}  // namespace
}  // namespace meridian
