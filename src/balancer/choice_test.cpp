#include "balancer/choice.hpp"

#include <array>
#include <vector>

#include <gtest/gtest.h>

#include "balancer/health.hpp"

namespace meridian::balancer {
namespace {

TEST(Choice, NobodyUsableIsNoChoice) {
  Random random(1);
  EXPECT_EQ(Choose({}, random), std::nullopt);
  std::vector<Candidate> out(3);
  EXPECT_EQ(Choose(out, random), std::nullopt);
}

TEST(Choice, OnlyUsableOnesAreChosenAndAllOfThemAre) {
  Random random(2);
  std::vector<Candidate> candidates = {{0, false}, {0, true}, {0, false}, {0, true}, {0, true}};
  std::array<int, 5> chosen{};
  for (int i = 0; i < 3000; ++i) ++chosen[Choose(candidates, random).value()];
  EXPECT_EQ(chosen[0], 0);
  EXPECT_EQ(chosen[2], 0);
  for (size_t i : {1u, 3u, 4u}) EXPECT_NEAR(chosen[i], 1000, 150);
}

TEST(Choice, TheMoreLoadedOfTwoIsNeverChosen) {
  Random random(3);
  std::vector<Candidate> candidates = {{7, true}, {2, true}};
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Choose(candidates, random), 1u);
}

TEST(Choice, LoadStaysEvenWhenRequestsNeverEnd) {
  Random random(4);
  std::vector<Candidate> candidates(10, Candidate{0, true});
  for (int i = 0; i < 10'000; ++i) ++candidates[Choose(candidates, random).value()].in_flight;
  for (const Candidate& candidate : candidates) EXPECT_NEAR(candidate.in_flight, 1000, 10);
}

TEST(InstanceHealth, TheAgentsWordCountsBeforeTheFirstCheck) {
  InstanceHealth health;
  EXPECT_FALSE(health.usable());
  health.OnView(true);
  EXPECT_TRUE(health.usable());
  health.OnView(false);
  health.OnCheck(true);
  EXPECT_FALSE(health.usable());
}

TEST(InstanceHealth, TwoMissedChecksTakeItOutAndAGoodOneBringsItBack) {
  InstanceHealth health;
  health.OnView(true);
  health.OnCheck(false);
  EXPECT_TRUE(health.usable());
  health.OnCheck(false);
  EXPECT_FALSE(health.usable());
  health.OnCheck(true);
  EXPECT_TRUE(health.usable());
}

TEST(InstanceHealth, ARefusedConnectionTakesItOutAtOnceAndOnlyACheckBringsItBack) {
  InstanceHealth health;
  health.OnView(true);
  health.OnRefused();
  EXPECT_FALSE(health.usable());
  health.OnAnswered();
  EXPECT_FALSE(health.usable());
  health.OnCheck(true);
  EXPECT_TRUE(health.usable());
}

TEST(InstanceHealth, FailedRequestsCountOnlyInARow) {
  InstanceHealth health;
  health.OnView(true);
  for (uint32_t i = 0; i + 1 < InstanceHealth::kPassiveMisses; ++i) health.OnRequestFailed();
  health.OnAnswered();
  for (uint32_t i = 0; i + 1 < InstanceHealth::kPassiveMisses; ++i) health.OnRequestFailed();
  EXPECT_TRUE(health.usable());
  health.OnRequestFailed();
  EXPECT_FALSE(health.usable());
}

}  // namespace
}  // namespace meridian::balancer
