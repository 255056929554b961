#include "proc/backoff.hpp"

#include <gtest/gtest.h>

namespace meridian::proc {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Backoff, FirstRestartIsAtOnceAndLaterOnesWaitLonger) {
  Backoff backoff;
  EXPECT_EQ(backoff.AfterRun(milliseconds(5)), Duration::zero());
  EXPECT_EQ(backoff.AfterRun(milliseconds(5)), milliseconds(100));
  EXPECT_EQ(backoff.AfterRun(milliseconds(5)), milliseconds(200));
  for (int i = 0; i < 20; ++i) (void)backoff.AfterRun(milliseconds(5));
  EXPECT_EQ(backoff.AfterRun(milliseconds(5)), Backoff::kMaxWait);
}

TEST(Backoff, AGoodRunIsForgivenWhatCameBefore) {
  Backoff backoff;
  for (int i = 0; i < 5; ++i) (void)backoff.AfterRun(milliseconds(5));
  EXPECT_EQ(backoff.AfterRun(seconds(10)), Duration::zero());
  EXPECT_EQ(backoff.AfterRun(milliseconds(9999)), milliseconds(100));
}

}  // namespace
}  // namespace meridian::proc
