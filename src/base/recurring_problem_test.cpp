#include "base/recurring_problem.hpp"

#include <chrono>

#include <gtest/gtest.h>

#include "base/clock.hpp"

namespace meridian {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

const TimePoint kStart{std::chrono::hours{1}};

TEST(RecurringProblem, AFullDiskThatLastsAnHourIsLoggedAFewTimesAndNotTwiceASecond) {
  RecurringProblem problem;
  int lines = 0;
  for (Duration at{}; at < std::chrono::hours(1); at += std::chrono::milliseconds(500)) {
    lines += problem.OnProblem("No space left on device", kStart + at) ? 1 : 0;
  }
  EXPECT_EQ(lines, 6);  // after 0, 1, 3, 7, 15 and 31 minutes
  EXPECT_EQ(problem.count(), 7200U);
}

TEST(RecurringProblem, AnotherProblemIsNews) {
  RecurringProblem problem;
  EXPECT_TRUE(problem.OnProblem("refused", kStart));
  EXPECT_FALSE(problem.OnProblem("refused", kStart + seconds(1)));
  EXPECT_TRUE(problem.OnProblem("timed out", kStart + seconds(2)));
}

TEST(RecurringProblem, ItsEndIsSaidOnceAndTheNextBeginsAnew) {
  RecurringProblem problem;
  EXPECT_FALSE(problem.OnSolved());
  problem.OnProblem("refused", kStart);
  EXPECT_TRUE(problem.OnSolved());
  EXPECT_FALSE(problem.OnSolved());
  EXPECT_TRUE(problem.OnProblem("refused", kStart + seconds(1)));
}

}  // namespace
}  // namespace meridian
