#include "store/mirror/clock_offset.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

#include "store/limits.hpp"

namespace meridian::store {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr int64_t kNow = int64_t{1'800'000'000} * 1'000'000;
constexpr int64_t kMs = 1000;

struct Exchange {
  int64_t asked = kNow;
  int64_t lead = 0;   // of the other's clock
  int64_t there = 0;  // how long the way takes
  int64_t held = 0;
  int64_t back = 0;
};
void Take(ClockOffset& offset, const Exchange& exchange) {
  int64_t received = exchange.asked + exchange.there + exchange.lead;
  offset.Take({.asked_us = exchange.asked,
               .received_us = received,
               .answered_us = received + exchange.held},
              exchange.asked + exchange.there + exchange.held + exchange.back);
}

TEST(ClockOffset, ThereIsNoEstimateBeforeTheFirstAnswer) {
  ClockOffset offset;
  EXPECT_FALSE(offset.best());
  offset.Take({}, kNow);
  EXPECT_FALSE(offset.best());
}

// Half the latency of the link was taken for a difference of the clocks.
TEST(ClockOffset, LatencyIsNoDifferenceOfClocks) {
  ClockOffset offset;
  Take(offset, {.there = 70 * kMs, .held = 300 * kMs, .back = 70 * kMs});
  ASSERT_TRUE(offset.best());
  EXPECT_EQ(offset.best()->offset, microseconds{0});
  EXPECT_EQ(offset.best()->error, milliseconds{70});
}

TEST(ClockOffset, DifferenceIsFoundAndTheErrorCoversAOneSidedWay) {
  for (int64_t lead : {1'500 * kMs, -2'500 * kMs}) {
    ClockOffset offset;
    Take(offset, {.lead = lead, .there = 100 * kMs, .back = 20 * kMs});
    ASSERT_TRUE(offset.best());
    EXPECT_EQ(offset.best()->offset, microseconds{lead + 40 * kMs});
    EXPECT_EQ(offset.best()->error, milliseconds{60});
  }
}

TEST(ClockOffset, ShortestRoundTripOfTheLastOnesCounts) {
  ClockOffset offset;
  Take(offset, {.there = 10 * kMs, .back = 10 * kMs});
  for (size_t i = 1; i < kClockSamples; ++i) {
    Take(offset, {.asked = kNow + static_cast<int64_t>(i), .there = 500 * kMs, .back = 10 * kMs});
    EXPECT_EQ(offset.best()->error, milliseconds{10});
  }
  Take(offset, {.asked = kNow - 1, .there = 500 * kMs, .back = 10 * kMs});
  EXPECT_EQ(offset.best()->error, milliseconds{255});
}

TEST(ClockOffset, AnswerThatCameBeforeIsNotTakenAgain) {
  ClockOffset offset;
  Take(offset, {.there = 50 * kMs, .back = 50 * kMs});
  // The same echo stands in each of a stream of records, later and later.
  for (int i = 0; i < 20; ++i) Take(offset, {.there = 50 * kMs, .back = 900 * kMs});
  EXPECT_EQ(offset.best()->error, milliseconds{50});
}

TEST(ClockOffset, ImpossibleTimesArePassedOver) {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  ClockOffset offset;
  for (int64_t asked : {kMin, int64_t{-1}, kMax}) {
    offset.Take({.asked_us = asked, .received_us = kNow, .answered_us = kNow}, kNow);
  }
  for (int64_t time : {kMin, int64_t{-1}, int64_t{0}, kMax}) {
    offset.Take({.asked_us = kNow, .received_us = time, .answered_us = kNow}, kNow);
    offset.Take({.asked_us = kNow, .received_us = kNow, .answered_us = time}, kNow);
    offset.Take({.asked_us = kNow, .received_us = kNow, .answered_us = kNow}, time);
  }
  // It was answered before it was received; it was heard before it was asked.
  offset.Take({.asked_us = kNow + 1, .received_us = kNow, .answered_us = kNow - 1}, kNow + 2);
  offset.Take({.asked_us = kNow + 3, .received_us = kNow, .answered_us = kNow}, kNow);
  EXPECT_FALSE(offset.best());
}

TEST(ClockOffset, OtherConnectionBeginsAnew) {
  ClockOffset offset;
  Take(offset, {.there = 50 * kMs, .back = 50 * kMs});
  offset.Clear();
  EXPECT_FALSE(offset.best());
}

}  // namespace
}  // namespace meridian::store
