#include "agent/children/replacement.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "agent/limits.hpp"
#include "base/clock.hpp"
#include "site/view/view.hpp"

namespace meridian::agent {
namespace {

using site::InstanceState;
using std::chrono::seconds;

constexpr InstanceState kHealthy = InstanceState::kHealthy;
constexpr InstanceState kUnhealthy = InstanceState::kUnhealthy;
constexpr Duration kUnhealthyTimeout = seconds(30);
const TimePoint kStart{std::chrono::hours{1}};

// The times at which instances are replaced, within `duration` from kStart, if their states do not
// change otherwise.
std::vector<Duration> Replacements(Replacement& replacement,
                                   const std::vector<InstanceState>& states, Duration duration) {
  std::vector<Duration> times;
  for (Duration at{}; at <= duration; at += seconds(1)) {
    if (replacement.Choose(states, kStart + at)) times.push_back(at);
  }
  return times;
}

TEST(Replacement, AnInstanceThatIsUnhealthyForLongIsReplacedWhileAnotherIsHealthy) {
  Replacement replacement(kUnhealthyTimeout);
  std::vector<InstanceState> states = {kHealthy, kUnhealthy};
  EXPECT_EQ(replacement.Choose(states, kStart), std::nullopt);
  EXPECT_EQ(replacement.Choose(states, kStart + seconds(29)), std::nullopt);
  EXPECT_EQ(replacement.Choose(states, kStart + seconds(30)), size_t{1});
  EXPECT_EQ(replacement.Choose(states, kStart + seconds(31)), std::nullopt);
}

TEST(Replacement, AnInstanceThatRecoversInTimeIsNotReplaced) {
  Replacement replacement(kUnhealthyTimeout);
  std::vector<InstanceState> bad = {kHealthy, kUnhealthy};
  std::vector<InstanceState> good = {kHealthy, kHealthy};
  replacement.Choose(bad, kStart);
  replacement.Choose(good, kStart + seconds(29));
  EXPECT_EQ(replacement.Choose(bad, kStart + seconds(31)), std::nullopt);
}

TEST(Replacement, AnInstanceThatStaysUnhealthyIsReplacedEverMoreSeldom) {
  Replacement replacement(kUnhealthyTimeout);
  std::vector<Duration> times =
      Replacements(replacement, {kHealthy, kUnhealthy}, std::chrono::minutes(5));
  EXPECT_EQ(times, (std::vector<Duration>{seconds(30), seconds(91), seconds(212)}));
}

TEST(Replacement, WhenAllAreUnhealthyOneIsTriedAndNotAllAtOnce) {
  Replacement replacement(kUnhealthyTimeout);
  std::vector<InstanceState> states(4, kUnhealthy);
  std::vector<Duration> times = Replacements(replacement, states, std::chrono::minutes(4));
  EXPECT_EQ(times, (std::vector<Duration>{seconds(30), seconds(90), seconds(210)}));
}

TEST(Replacement, WhenTheTriedInstanceIsHealthyTheOthersFollowOneByOne) {
  Replacement replacement(kUnhealthyTimeout);
  std::vector<InstanceState> states(3, kUnhealthy);
  replacement.Choose(states, kStart);
  ASSERT_EQ(replacement.Choose(states, kStart + seconds(30)), size_t{0});
  states[0] = kHealthy;
  std::vector<size_t> chosen;
  for (int second = 31; second <= 150; ++second) {
    if (auto index = replacement.Choose(states, kStart + seconds(second))) {
      chosen.push_back(*index);
      states[*index] = kHealthy;
    }
  }
  EXPECT_EQ(chosen, (std::vector<size_t>{1, 2}));
}

// The others waited for the time that had doubled while none was healthy.
TEST(Replacement, AfterAnInstanceIsHealthyAgainTheNextOneDoesNotWaitForTheDoubledTime) {
  Replacement replacement(kUnhealthyTimeout);
  std::vector<InstanceState> states(4, kUnhealthy);
  ASSERT_EQ(Replacements(replacement, states, seconds(210)).back(), seconds(210));
  states[2] = kHealthy;
  EXPECT_EQ(replacement.Choose(states, kStart + seconds(239)), std::nullopt);
  EXPECT_NE(replacement.Choose(states, kStart + seconds(240)), std::nullopt);
}

TEST(Replacement, ALongWaitIsBounded) {
  Replacement replacement(kUnhealthyTimeout);
  std::vector<Duration> times =
      Replacements(replacement, {kUnhealthy, kUnhealthy}, std::chrono::hours(2));
  for (size_t i = 1; i < times.size(); ++i) {
    EXPECT_LE(times[i] - times[i - 1], kMaxReplacementWait + seconds(2));
  }
  EXPECT_GT(times.size(), 8U);
}

}  // namespace
}  // namespace meridian::agent
