#include "cli/drain_wait.hpp"

#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace meridian::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;
using enum DrainWait::Outcome;

const Result<std::string> kNoAnswer = Fail(Errc::kRefused, "connection refused");

DrainWait WaitFor(Duration answer_ttl = seconds{5}) {
  return DrainWait({.name = "us-east", .answer_ttl = answer_ttl, .grace = seconds{10}});
}

TEST(DrainWait, EndsWhenTheDataCenterIsDrained) {
  DrainWait wait = WaitFor();
  DrainWait::Step step = wait.OnPoll("draining", seconds{1});
  EXPECT_EQ(step.outcome, kWaits);
  EXPECT_EQ(step.text,
            "us-east is draining: no new connection may come for 15 s (DNS answers that name it "
            "live for 5 s)");
  step = wait.OnPoll("drained", seconds{15});
  EXPECT_EQ(step.outcome, kDrained);
  EXPECT_EQ(step.text, "us-east is drained");
}

TEST(DrainWait, FailedPollsAreRepeatedUntilTheyFailForTenSecondsInARow) {
  DrainWait wait = WaitFor();
  EXPECT_EQ(wait.OnPoll("draining", seconds{1}).outcome, kWaits);
  DrainWait::Step step = wait.OnPoll(kNoAnswer, seconds{2});
  EXPECT_EQ(step.outcome, kWaits);
  EXPECT_THAT(step.text, HasSubstr("does not answer (connection refused); it is asked again"));
  EXPECT_EQ(wait.OnPoll(kNoAnswer, milliseconds{10'999}).outcome, kWaits);
  // An answer restarts the count.
  EXPECT_EQ(wait.OnPoll("draining", milliseconds{10'999}).outcome, kWaits);
  EXPECT_EQ(wait.OnPoll(kNoAnswer, milliseconds{20'998}).outcome, kWaits);
  step = wait.OnPoll(kNoAnswer, milliseconds{20'999});
  EXPECT_EQ(step.outcome, kFailed);
  EXPECT_THAT(step.text, HasSubstr("has not answered for 10 s (connection refused)"));
  EXPECT_THAT(step.text, HasSubstr("meridian status"));
}

TEST(DrainWait, ADataCenterThatStartsAgainIsAwaited) {
  DrainWait wait = WaitFor();
  EXPECT_EQ(wait.OnPoll("starting", seconds{3}).outcome, kWaits);
  EXPECT_EQ(wait.OnPoll("draining", seconds{4}).outcome, kWaits);
}

TEST(DrainWait, ADrainThatIsTakenBackEndsTheWait) {
  DrainWait::Step step = WaitFor().OnPoll("serving", seconds{3});
  EXPECT_EQ(step.outcome, kFailed);
  EXPECT_THAT(step.text, HasSubstr("us-east serves visitors again"));
}

TEST(DrainWait, AfterTenMinutesCauseAndMendAreNamed) {
  EXPECT_EQ(WaitFor().OnPoll("draining", minutes{10} - milliseconds{1}).outcome, kWaits);
  DrainWait::Step step = WaitFor().OnPoll("draining", minutes{10});
  EXPECT_EQ(step.outcome, kFailed);
  for (const char* part :
       {"not drained after 600 s: new connections still come to its edge, less than 15 s apart",
        "meridian dc drain us-east --wait", "meridian dc undrain us-east"}) {
    EXPECT_THAT(step.text, HasSubstr(part));
  }
}

TEST(DrainWait, AfterTenMinutesALongTtlIsNamedAsTheCause) {
  DrainWait::Step step = WaitFor(minutes{10}).OnPoll("draining", minutes{10});
  EXPECT_EQ(step.outcome, kFailed);
  EXPECT_THAT(step.text, HasSubstr("takes at least 610 s, as DNS answers live for 600 s: lower ttl "
                                   "of [dns]"));
}

}  // namespace
}  // namespace meridian::cli
