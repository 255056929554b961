#include "dispatch/policy/health.hpp"

#include <chrono>

#include <gtest/gtest.h>

#include "base/clock.hpp"

namespace meridian::dispatch {
namespace {

using Check = InstanceHealth::Check;
using Standing = InstanceHealth::Standing;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr TimePoint kStart{std::chrono::hours{1}};

InstanceHealth Healthy() {
  InstanceHealth health;
  health.OnView(true, kStart);
  return health;
}

TEST(InstanceHealth, TheAgentsCheckCountsBeforeTheFirstOwnCheck) {
  InstanceHealth health;
  EXPECT_EQ(health.standing(kStart), Standing::kOut);
  health.OnView(true, kStart);
  EXPECT_EQ(health.standing(kStart), Standing::kIn);
  health.OnView(false, kStart);
  health.OnCheck(Check::kGood, kStart);
  EXPECT_EQ(health.standing(kStart), Standing::kOut);
}

TEST(InstanceHealth, TwoMissedChecksTakeItOutAndAPassedCheckBringsItBack) {
  InstanceHealth health = Healthy();
  health.OnCheck(Check::kBad, kStart);
  EXPECT_EQ(health.standing(kStart), Standing::kIn);
  health.OnCheck(Check::kBad, kStart);
  EXPECT_EQ(health.standing(kStart), Standing::kOut);
  health.OnCheck(Check::kGood, kStart);
  EXPECT_EQ(health.standing(kStart), Standing::kIn);
}

TEST(InstanceHealth, ARefusedConnectionTakesItOutAtOnceAndOnlyACheckBringsItBack) {
  for (bool by_check : {false, true}) {
    InstanceHealth health = Healthy();
    if (by_check) {
      health.OnCheck(Check::kRefused, kStart);
    } else {
      health.OnRefused();
    }
    EXPECT_TRUE(health.refused());
    EXPECT_EQ(health.standing(kStart), Standing::kOut);
    health.OnAnswered(true, kStart);
    EXPECT_EQ(health.standing(kStart), Standing::kOut);
    health.OnCheck(Check::kGood, kStart);
    EXPECT_EQ(health.standing(kStart), Standing::kIn);
  }
}

TEST(InstanceHealth, AnInstanceThatRefusedAndNowFailsChecksIsOutButListens) {
  InstanceHealth health = Healthy();
  health.OnRefused();
  health.OnCheck(Check::kBad, kStart);
  EXPECT_FALSE(health.refused());
  EXPECT_EQ(health.standing(kStart), Standing::kOut);
}

TEST(InstanceHealth, WhenTheAgentCallsItHealthyAgainOurOlderEvidenceIsForgotten) {
  InstanceHealth health = Healthy();
  health.OnRefused();
  health.OnCheck(Check::kBad, kStart);
  health.OnView(false, kStart);
  health.OnView(true, kStart);
  EXPECT_EQ(health.standing(kStart), Standing::kIn);
}

TEST(InstanceHealth, RequestsWithoutAnswerCountOnlyInARow) {
  InstanceHealth health = Healthy();
  health.OnUnanswered(kStart);
  health.OnUnanswered(kStart);
  EXPECT_EQ(health.unanswered_in_row(), 2U);
  health.OnAnswered(false, kStart);
  EXPECT_EQ(health.unanswered_in_row(), 0U);
}

TEST(InstanceHealth, AServerErrorIsARecentFailure) {
  InstanceHealth health = Healthy();
  health.OnSent(1, kStart);
  health.OnSent(1, kStart);
  health.OnAnswered(false, kStart);
  health.OnAnswered(true, kStart);
  EXPECT_EQ(health.requests(kStart), 2U);
  EXPECT_EQ(health.failures(kStart), 1U);
  EXPECT_EQ(health.failures(kStart + seconds{10}), 0U);
}

TEST(InstanceHealth, AnEjectedInstanceStaysOutAlthoughItPassesChecks) {
  InstanceHealth health = Healthy();
  health.Eject(kStart);
  health.OnCheck(Check::kGood, kStart + seconds{4});
  EXPECT_EQ(health.standing(kStart + seconds{4}), Standing::kOut);
  EXPECT_EQ(health.standing(kStart + seconds{5}), Standing::kTrial);
}

TEST(InstanceHealth, OnTrialItHasOneRequestUntilItIsAnswered) {
  InstanceHealth health = Healthy();
  health.Eject(kStart);
  TimePoint later = kStart + InstanceHealth::kFirstEjection;
  EXPECT_FALSE(health.trying());
  health.OnTrial();
  EXPECT_TRUE(health.trying());
  health.OnAnswered(true, later);
  health.OnTrialEnd();
  EXPECT_EQ(health.standing(later), Standing::kIn);
  EXPECT_FALSE(health.trying());
}

TEST(InstanceHealth, ATrialThatTheVisitorLeavesMakesRoomForAnother) {
  InstanceHealth health = Healthy();
  health.Eject(kStart);
  TimePoint later = kStart + InstanceHealth::kFirstEjection;
  health.OnTrial();
  health.OnTrialEnd();
  EXPECT_EQ(health.standing(later), Standing::kTrial);
  EXPECT_FALSE(health.trying());
}

TEST(InstanceHealth, AGoodCheckEndsATrial) {
  InstanceHealth health = Healthy();
  health.Eject(kStart);
  TimePoint later = kStart + InstanceHealth::kFirstEjection;
  health.OnCheck(Check::kGood, later);
  EXPECT_EQ(health.standing(later), Standing::kIn);
}

TEST(InstanceHealth, EachFailedTrialDoublesTheTimeUpToAMinute) {
  InstanceHealth health = Healthy();
  TimePoint now = kStart;
  health.Eject(now);
  for (int expected : {5, 10, 20, 40, 60, 60}) {
    EXPECT_EQ(health.standing(now + seconds{expected} - milliseconds{1}), Standing::kOut);
    now += seconds{expected};
    EXPECT_EQ(health.standing(now), Standing::kTrial);
    health.OnTrial();
    health.OnUnanswered(now);
  }
}

TEST(InstanceHealth, EjectionsOfLongAgoAreForgotten) {
  InstanceHealth health = Healthy();
  health.Eject(kStart);
  TimePoint back = kStart + InstanceHealth::kFirstEjection;
  health.OnCheck(Check::kGood, back);
  TimePoint again = back + InstanceHealth::kForgiveAfter;
  health.Eject(again);
  EXPECT_EQ(health.standing(again + InstanceHealth::kFirstEjection), Standing::kTrial);
}

TEST(InstanceHealth, AReturningInstanceStartsWithoutFailures) {
  InstanceHealth health = Healthy();
  for (int i = 0; i < 20; ++i) {
    health.OnSent(1, kStart);
    health.OnUnanswered(kStart);
  }
  health.Eject(kStart);
  TimePoint back = kStart + InstanceHealth::kFirstEjection;
  health.OnCheck(Check::kGood, back);
  EXPECT_EQ(health.requests(back), 0U);
  EXPECT_EQ(health.failures(back), 0U);
  EXPECT_EQ(health.unanswered_in_row(), 0U);
}

TEST(InstanceHealth, ItsShareGrowsFromATenthOverTheSlowStart) {
  InstanceHealth health = Healthy();
  EXPECT_DOUBLE_EQ(health.weight(kStart, seconds{10}), 0.1);
  EXPECT_DOUBLE_EQ(health.weight(kStart + seconds{5}, seconds{10}), 0.5);
  EXPECT_DOUBLE_EQ(health.weight(kStart + seconds{10}, seconds{10}), 1);
  EXPECT_DOUBLE_EQ(health.weight(kStart, Duration::zero()), 1);
}

TEST(InstanceHealth, SlowStartFollowsFailedChecksRefusalAndUnhealthy) {
  for (int how : {0, 1, 2}) {
    InstanceHealth health = Healthy();
    TimePoint back = kStart + seconds{100};
    if (how == 0) health.OnRefused();
    if (how == 1) health.OnCheck(Check::kBad, kStart);
    if (how == 1) health.OnCheck(Check::kBad, kStart);
    if (how == 2) health.OnView(false, kStart);
    if (how == 2) health.OnView(true, back);
    health.OnCheck(Check::kGood, back);
    EXPECT_DOUBLE_EQ(health.weight(back, seconds{10}), 0.1) << how;
  }
}

}  // namespace
}  // namespace meridian::dispatch
