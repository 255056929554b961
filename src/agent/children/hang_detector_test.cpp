#include "agent/children/hang_detector.hpp"

#include <chrono>

#include <gtest/gtest.h>

#include "agent/limits.hpp"
#include "base/clock.hpp"

namespace meridian::agent {
namespace {

using std::chrono::seconds;

const TimePoint kStart{std::chrono::hours{1}};

TEST(HangDetector, AProcessThatDoesNotAnswerForFiveSecondsIsHungAndLaterOverdue) {
  HangDetector detector(seconds(15), kStart);
  detector.OnAnswer(kStart + seconds(1));
  for (int second = 2; second <= 5; ++second) detector.OnMiss(kStart + seconds(second));
  EXPECT_FALSE(detector.hung());
  detector.OnMiss(kStart + seconds(6));
  EXPECT_TRUE(detector.hung());
  EXPECT_FALSE(detector.overdue());
  for (int second = 7; second <= 15; ++second) detector.OnMiss(kStart + seconds(second));
  EXPECT_FALSE(detector.overdue());
  detector.OnMiss(kStart + seconds(16));
  EXPECT_TRUE(detector.overdue());
}

TEST(HangDetector, AnAnswerEndsTheSilence) {
  HangDetector detector(seconds(15), kStart);
  detector.OnAnswer(kStart);
  for (int second = 1; second <= 14; ++second) detector.OnMiss(kStart + seconds(second));
  EXPECT_TRUE(detector.hung());
  detector.OnAnswer(kStart + seconds(15));
  EXPECT_FALSE(detector.hung());
  detector.OnMiss(kStart + seconds(16));
  EXPECT_FALSE(detector.overdue());
}

TEST(HangDetector, AnAgentThatWasStoppedDoesNotTakeItsTiersForHung) {
  HangDetector detector(seconds(15), kStart);
  detector.OnAnswer(kStart);
  detector.OnMiss(kStart + seconds(107));
  EXPECT_FALSE(detector.hung());
}

TEST(HangDetector, AProcessThatStartsHasLongerForItsFirstAnswer) {
  HangDetector detector(seconds(15), kStart);
  TimePoint now = kStart;
  while (now < kStart + kFirstAnswerTimeout - kProbeInterval) {
    detector.OnMiss(now += kProbeInterval);
    EXPECT_FALSE(detector.hung());
  }
  detector.OnMiss(now += kProbeInterval);
  EXPECT_TRUE(detector.overdue());
}

}  // namespace
}  // namespace meridian::agent
