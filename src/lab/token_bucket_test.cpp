#include "lab/token_bucket.hpp"

#include <chrono>

#include <gtest/gtest.h>

#include "base/clock.hpp"

namespace meridian::lab {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr uint64_t kBytesEachMillisecond = 1000;

class TokenBucketTest : public testing::Test {
 protected:
  TokenBucketTest() { bucket_.SetRate(kBytesEachMillisecond * 1000 * 8); }
  // The time from now until `bytes` have left.
  Duration Take(size_t bytes) { return bucket_.Take(bytes, clock_.Now()) - clock_.Now(); }

  ManualClock clock_;
  TokenBucket bucket_;
};

TEST_F(TokenBucketTest, WithoutARateEverythingGoesAtOnce) {
  bucket_.SetRate(0);
  EXPECT_EQ(Take(1'000'000'000), Duration::zero());
}

TEST_F(TokenBucketTest, ABurstGoesAtOnceAndWhatIsBeyondItWaits) {
  EXPECT_EQ(Take(TokenBucket::kBurstBytes), Duration::zero());
  EXPECT_EQ(Take(kBytesEachMillisecond), milliseconds(1));
  EXPECT_EQ(Take(kBytesEachMillisecond), milliseconds(2));
}

TEST_F(TokenBucketTest, OverTimeTheRateIsKept) {
  Duration last{};
  for (int i = 0; i < 1000; ++i) last = Take(kBytesEachMillisecond);
  EXPECT_NEAR(Milliseconds(last), 1000.0 - TokenBucket::kBurstBytes / 1000.0, 0.001);
}

TEST_F(TokenBucketTest, APauseSavesUpNoMoreThanABurst) {
  (void)Take(TokenBucket::kBurstBytes);
  clock_.Advance(hours(1));
  EXPECT_EQ(Take(TokenBucket::kBurstBytes), Duration::zero());
  EXPECT_EQ(Take(kBytesEachMillisecond), milliseconds(1));
}

TEST_F(TokenBucketTest, AnotherRateForgetsTheDebt) {
  (void)Take(100'000'000);
  bucket_.SetRate(kBytesEachMillisecond * 1000 * 8);
  EXPECT_EQ(Take(1), Duration::zero());
}

}  // namespace
}  // namespace meridian::lab
