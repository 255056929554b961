#include "dns/spill.hpp"

#include <gtest/gtest.h>

#include "dns/limits.hpp"

namespace meridian::dns {
namespace {

constexpr auto kHold = std::chrono::seconds{10};
constexpr TimePoint kStart{std::chrono::hours{1}};

// Two data centers, near and far. Clients that `near` does not keep go to `far`; each second a
// quarter of them moves, as caches expire.
struct Lab {
  explicit Lab(double near_capacity, double far_capacity)
      : near{.capacity = near_capacity}, far{.capacity = far_capacity} {}

  void Run(double near_demand, double far_demand, int seconds) {
    for (int i = 0; i < seconds; ++i) {
      moved += (1 - spill.kept_share(0) - moved) / 4;
      near.load = near.serving ? near_demand * (1 - moved) : 0;
      far.load = far_demand + near_demand - near.load;
      std::vector<SpillInput> inputs = {near, far};
      spill.Step(inputs, now);
      now += std::chrono::seconds{1};
    }
  }

  Spill spill{2, kHold};
  SpillInput near;
  SpillInput far;
  double moved = 0;  // share of the near clients that have gone to `far`
  TimePoint now = kStart;
};

TEST(Spill, NothingMovesBelowCapacity) {
  Lab lab(100, 100);
  lab.Run(100, 50, 60);
  EXPECT_EQ(lab.spill.kept_share(0), 1);
  EXPECT_EQ(lab.spill.kept_share(1), 1);
}

TEST(Spill, FirstAnswerToOverloadIsImmediate) {
  Lab lab(100, 100);
  lab.Run(150, 10, 1);
  EXPECT_NEAR(lab.spill.kept_share(0), 95.0 / 150, 0.001);
}

TEST(Spill, OverloadEndsAndSharesComeToRest) {
  Lab lab(100, 200);
  lab.Run(150, 50, 60);
  EXPECT_LE(lab.near.load, 100);
  EXPECT_LE(lab.far.load, 200);
  double rest = lab.spill.kept_share(0);
  for (int i = 0; i < 120; ++i) {
    lab.Run(150, 50, 1);
    EXPECT_EQ(lab.spill.kept_share(0), rest);
  }
}

TEST(Spill, GivesAwayNoMoreThanTheOthersHaveRoomFor) {
  Lab lab(100, 100);
  lab.Run(200, 65, 120);  // 30 of room there, 105 too many here
  EXPECT_LE(lab.far.load, 100);
  EXPECT_GT(lab.near.load, 160);
  EXPECT_EQ(lab.spill.kept_share(1), 1);
}

TEST(Spill, WithNoRoomAnywhereEveryoneKeepsTheirOwn) {
  Lab lab(100, 100);
  lab.Run(200, 120, 60);
  EXPECT_EQ(lab.spill.kept_share(0), 1);
  EXPECT_EQ(lab.spill.kept_share(1), 1);
}

TEST(Spill, CapacityThatIsNotStatedIsBoundless) {
  Lab lab(100, 0);
  lab.Run(1000, 5000, 60);
  EXPECT_LE(lab.near.load, 100);
  EXPECT_EQ(lab.spill.kept_share(1), 1);
}

TEST(Spill, ClientsComeBackWhenTheOverloadIsOver) {
  Lab lab(100, 200);
  lab.Run(180, 10, 60);
  EXPECT_LT(lab.spill.kept_share(0), 0.6);
  lab.Run(50, 10, 120);
  EXPECT_EQ(lab.spill.kept_share(0), 1);
  EXPECT_NEAR(lab.near.load, 50, 0.1);
}

TEST(Spill, LostDataCenterHasNoRoomAndStartsAfreshWhenBack) {
  Lab lab(100, 100);
  lab.Run(180, 10, 30);
  EXPECT_LT(lab.spill.kept_share(0), 1);
  lab.near.serving = false;
  lab.Run(0, 180, 5);
  EXPECT_EQ(lab.spill.kept_share(0), 1);
  EXPECT_EQ(lab.spill.kept_share(1), 1) << "the other has nowhere to send its clients";
}

TEST(Spill, ShareChangesAtMostOnceInAHold) {
  Lab lab(100, 0);
  lab.Run(400, 0, 1);
  double first = lab.spill.kept_share(0);
  lab.Run(400, 0, 9);
  EXPECT_EQ(lab.spill.kept_share(0), first);
  lab.Run(4000, 0, 1);
  EXPECT_LT(lab.spill.kept_share(0), first);
}

TEST(Spill, AlwaysKeepsAFew) {
  Lab lab(1, 0);
  lab.Run(1e9, 0, 60);
  EXPECT_EQ(lab.spill.kept_share(0), kMinKeptShare);
}

}  // namespace
}  // namespace meridian::dns
