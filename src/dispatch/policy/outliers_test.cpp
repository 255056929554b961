#include "dispatch/policy/outliers.hpp"

#include <vector>

#include <gtest/gtest.h>

#include "dispatch/policy/panic.hpp"

namespace meridian::dispatch {
namespace {

constexpr RecentResults kGood{.requests = 100, .failures = 1};
constexpr RecentResults kBad{.requests = 100, .failures = 50};
constexpr RecentResults kOut{.out = true};

bool FirstIsEjected(const std::vector<RecentResults>& instances) {
  return ShouldEject(instances, 0);
}

TEST(Outliers, AnInstanceThatFailsFarMoreThanTheOthersIsEjected) {
  EXPECT_TRUE(FirstIsEjected({kBad, kGood, kGood}));
  EXPECT_FALSE(FirstIsEjected({kGood, kBad, kGood}));
}

TEST(Outliers, WhenAllFailAlikeNoneIsEjected) {
  EXPECT_FALSE(FirstIsEjected({kBad, kBad, kBad}));
  // A little more than three times the rate of the others, and a little less.
  RecentResults others{.requests = 100, .failures = 20};
  EXPECT_TRUE(FirstIsEjected({{.requests = 100, .failures = 61}, others}));
  EXPECT_FALSE(FirstIsEjected({{.requests = 100, .failures = 59}, others}));
}

TEST(Outliers, AFailureRateBelowThreeInTenIsIgnored) {
  RecentResults perfect{.requests = 100};
  EXPECT_TRUE(FirstIsEjected({{.requests = 100, .failures = 30}, perfect}));
  EXPECT_FALSE(FirstIsEjected({{.requests = 100, .failures = 29}, perfect}));
}

TEST(Outliers, FewRequestsAreIgnored) {
  EXPECT_TRUE(FirstIsEjected({{.requests = 10, .failures = 10}, kGood}));
  EXPECT_FALSE(FirstIsEjected({{.requests = 9, .failures = 9}, kGood}));
  EXPECT_FALSE(FirstIsEjected({kBad, {.requests = 9}}));
}

TEST(Outliers, FiveWithoutAnswerInARowAreEnough) {
  EXPECT_TRUE(FirstIsEjected({{.unanswered_in_row = 5}, kGood}));
  EXPECT_FALSE(FirstIsEjected({{.unanswered_in_row = 4}, kGood}));
}

TEST(Outliers, AtMostHalfAreEjected) {
  EXPECT_FALSE(FirstIsEjected({kBad}));
  EXPECT_TRUE(FirstIsEjected({kBad, kGood}));
  EXPECT_FALSE(FirstIsEjected({kBad, kGood, kOut}));
  EXPECT_TRUE(FirstIsEjected({kBad, kGood, kGood, kOut}));
  EXPECT_FALSE(FirstIsEjected({kBad, kGood, kOut, kOut}));
}

TEST(Outliers, AnEjectedInstanceIsNotEjectedAgain) {
  EXPECT_FALSE(FirstIsEjected({{.unanswered_in_row = 9, .out = true}, kGood, kGood, kGood}));
}

TEST(Panic, IsWhenFewerThanOneInFiveAreIn) {
  EXPECT_FALSE(IsPanic(0, 0));
  EXPECT_TRUE(IsPanic(1, 0));
  EXPECT_FALSE(IsPanic(1, 1));
  EXPECT_FALSE(IsPanic(5, 1));
  EXPECT_TRUE(IsPanic(6, 1));
  EXPECT_FALSE(IsPanic(10, 2));
}

}  // namespace
}  // namespace meridian::dispatch
