#include "lab/delay_line.hpp"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/clock.hpp"

namespace meridian::lab {
namespace {

using std::chrono::milliseconds;

TEST(DelayLine, WhatIsSentComesOutInOrderEachAtItsTime) {
  ManualClock clock;
  DelayLine line(1000);
  EXPECT_TRUE(line.empty());
  line.Send(AsBytes("one"), clock.Now() + milliseconds(30));
  line.Send(AsBytes("two"), clock.Now() + milliseconds(40));
  line.SendEnd(DelayLine::Kind::kEnd, clock.Now() + milliseconds(50));
  EXPECT_TRUE(line.ended());
  for (auto [text, kind, after] : {std::tuple{"one", DelayLine::Kind::kBytes, 30},
                                   std::tuple{"two", DelayLine::Kind::kBytes, 40},
                                   std::tuple{"", DelayLine::Kind::kEnd, 50}}) {
    EXPECT_EQ(AsText(line.front().bytes), text);
    EXPECT_EQ(line.front().kind, kind);
    EXPECT_EQ(line.front().arrives, clock.Now() + milliseconds(after));
    line.Pop();
  }
  EXPECT_TRUE(line.empty());
}

TEST(DelayLine, NothingOvertakesWhatWasSentBefore) {
  ManualClock clock;
  DelayLine line(1000);
  line.Send(AsBytes("slow"), clock.Now() + milliseconds(100));
  line.Send(AsBytes("fast"), clock.Now() + milliseconds(1));
  line.Pop();
  EXPECT_EQ(line.front().arrives, clock.Now() + milliseconds(100));
}

TEST(DelayLine, AtItsLimitItHasNoRoomUntilSomethingArrived) {
  DelayLine line(10 + DelayLine::kItemBytes);
  line.Send(AsBytes("123456789"), {});
  EXPECT_TRUE(line.has_room());
  line.Send(AsBytes("1"), {});
  EXPECT_FALSE(line.has_room());
  line.SendEnd(DelayLine::Kind::kReset, {});
  line.Pop();
  line.Pop();
  EXPECT_TRUE(line.has_room());
  EXPECT_EQ(line.front().kind, DelayLine::Kind::kReset);
}

TEST(DelayLine, ManyTinyPiecesAreBoundedToo) {
  DelayLine line(100 * DelayLine::kItemBytes);
  size_t pieces = 0;
  for (; line.has_room(); ++pieces) line.Send(AsBytes("x"), {});
  EXPECT_LE(pieces, 100u);
}

}  // namespace
}  // namespace meridian::lab
