#include "dispatch/policy/retry_budget.hpp"

#include <chrono>

#include <gtest/gtest.h>

#include "base/clock.hpp"

namespace meridian::dispatch {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr TimePoint kStart{std::chrono::hours{1}};

// The number of retries for `requests` that come `apart` from each other and fail twice each.
int RetriesOf(RetryBudget& budget, int requests, Duration apart) {
  int retries = 0;
  TimePoint now = kStart;
  for (int i = 0; i < requests; ++i, now += apart) {
    budget.OnRequests(1, now);
    retries += budget.Take(now) ? 1 : 0;
    retries += budget.Take(now) ? 1 : 0;
  }
  return retries;
}

TEST(RetryBudget, IsAFifthOfTheRequestsWhenAllFail) {
  RetryBudget budget(0.2);
  EXPECT_EQ(RetriesOf(budget, 1000, milliseconds{1}), 200);
}

TEST(RetryBudget, IsNotExceededWhenAllFailForALongTime) {
  RetryBudget budget(0.2);
  EXPECT_LE(RetriesOf(budget, 100'000, milliseconds{5}), 20'000);
}

TEST(RetryBudget, AllowsARetryOfARareRequest) {
  RetryBudget budget(0.2);
  EXPECT_EQ(RetriesOf(budget, 5, seconds{1}), 10);
}

TEST(RetryBudget, EndsAtTheMinimumWhenRequestsAreFew) {
  RetryBudget budget(0.2);
  EXPECT_EQ(RetriesOf(budget, 49, milliseconds{1}), 10);
}

TEST(RetryBudget, TheMinimumComesBackWithTime) {
  RetryBudget budget(0.2);
  while (budget.Take(kStart)) {
  }
  EXPECT_FALSE(budget.Take(kStart + seconds{9}));
  EXPECT_TRUE(budget.Take(kStart + seconds{10}));
}

TEST(RetryBudget, OldRequestsAllowNoRetry) {
  RetryBudget budget(0.2);
  for (int i = 0; i < 1000; ++i) budget.OnRequests(1, kStart);
  int retries = 0;
  while (budget.Take(kStart + seconds{10})) ++retries;
  EXPECT_EQ(retries, 10);
}

TEST(RetryBudget, OfZeroAllowsNoRetry) {
  RetryBudget budget(0);
  EXPECT_EQ(RetriesOf(budget, 100, milliseconds{1}), 0);
}

}  // namespace
}  // namespace meridian::dispatch
