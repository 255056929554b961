#include "watch/own_lines/trail_lines.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "watch/own_lines/limits.hpp"

namespace meridian::watch {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr LogTime kStart = std::chrono::sys_days(std::chrono::year{2026} / 11 / 21) + 1h;

// "{"time":"2026-11-21T01:00:SS…": seconds behind kStart.
std::string Line(int second, const std::string& event) {
  return fmt::format(
      "{{\"time\":\"2026-11-21T01:{:02}:{:02}.000000Z\",\"level\":\"info\",\"event\":\"{}\"}}\n",
      second / 60, second % 60, event);
}

class TrailLinesTest : public testing::Test {
 protected:
  // Reads `bytes` at the present place.
  bool Read(std::string bytes, bool begins = false) {
    TrailRead read{.position = {.file = {1, inode_}, .offset = offset_, .written = clock_.Wall()},
                   .bytes = std::move(bytes)};
    read.step.begins = begins;
    const bool taken = trail_.Take(read, at(), &lines_);
    offset_ = trail_.next()->offset;
    return taken;
  }
  void Expire() { trail_.Expire(at(), &lines_); }
  Arrival at() const { return {clock_.Now(), clock_.Wall()}; }
  std::vector<std::string> Texts() {
    std::vector<std::string> texts;
    for (const ArrivedLine& each : lines_) texts.push_back(each.line.text);
    lines_.clear();
    return texts;
  }
  uint64_t safe() const { return trail_.safe()->offset; }

  ManualClock clock_ = [] {
    ManualClock clock;
    clock.SkewWall(WallTime(kStart + 1min) - clock.Wall());
    return clock;
  }();
  TrailLines trail_{{.bytes_per_second = 1000, .burst_bytes = 2000}, std::nullopt, true};
  std::vector<ArrivedLine> lines_;
  uint64_t inode_ = 7;
  uint64_t offset_ = 0;
};

TEST_F(TrailLinesTest, WholeLinesAreEntriesWithTheirOwnTimesHoweverOldTheyAre) {
  clock_.SkewWall(1h);
  Read(Line(1, "first") + Line(2, "second"), true);
  ASSERT_EQ(lines_.size(), 2U);
  EXPECT_EQ(lines_[0].line.time, kStart + 1s);
  EXPECT_EQ(lines_[1].line.time, kStart + 2s);
  EXPECT_THAT(Texts(), ElementsAre("first", "second"));
  EXPECT_EQ(safe(), Line(1, "first").size() + Line(2, "second").size());
}

TEST_F(TrailLinesTest, ALineIsTakenWhenItsEndHasCome) {
  const std::string line = Line(1, "first");
  EXPECT_FALSE(Read(line.substr(0, 40), true) && offset_ > 0);
  EXPECT_THAT(Texts(), IsEmpty());
  EXPECT_EQ(offset_, 0);
  clock_.Advance(kMaxTornLineTime / 2);
  Read(line);
  EXPECT_THAT(Texts(), ElementsAre("first"));
}

TEST_F(TrailLinesTest, ALineWithoutAnEndIsTakenAfterItsTime) {
  Read("terminate cal", true);
  clock_.Advance(kMaxTornLineTime);
  EXPECT_TRUE(Read("terminate cal"));
  EXPECT_EQ(safe(), 0);
  clock_.Advance(1s);
  Expire();  // the end of the line; it waits for one that continues it
  clock_.Advance(1s);
  Expire();
  EXPECT_THAT(Texts(), ElementsAre("terminate cal"));
  EXPECT_EQ(safe(), 13);
}

TEST_F(TrailLinesTest, WhatIsHeldIsBehindTheSafePosition) {
  const std::string before = Line(1, "first");
  Read(before + "panic: oh\n\tat main\n", true);
  EXPECT_THAT(Texts(), ElementsAre("first"));
  EXPECT_EQ(safe(), before.size());
  // The next plain line ends the one before, and is held itself.
  Read("another\n");
  EXPECT_THAT(Texts(), ElementsAre("panic: oh\n\tat main"));
  EXPECT_EQ(safe(), offset_ - std::string("another\n").size());
  clock_.Advance(1s);
  Expire();
  EXPECT_THAT(Texts(), ElementsAre("another"));
  EXPECT_EQ(safe(), offset_);
}

TEST_F(TrailLinesTest, TheApplicationsOutputIsSkippedBeforeTheQuota) {
  const std::string output =
      R"({"time":"2026-11-21T01:00:01.000000Z","level":"info","process":"agent","event":"output","line":")" +
      std::string(500, 'x') + "\"}\n";
  for (int i = 0; i < 20; ++i) Read(output, i == 0);
  Read(Line(1, "own"));
  EXPECT_THAT(Texts(), ElementsAre("own"));
  EXPECT_EQ(trail_.dropped_lines(), 0);
  EXPECT_EQ(safe(), offset_);
}

TEST_F(TrailLinesTest, TheQuotaCountsTheTimesAtWhichLinesWereWritten) {
  // 20 kB over 40 s, read at once.
  std::string log;
  for (int i = 0; i < 40; ++i) log += Line(i, std::string(430, 'x'));
  Read(log, true);
  EXPECT_EQ(lines_.size(), 40U);
  EXPECT_EQ(trail_.dropped_lines(), 0);
  Texts();
  // The same in one second.
  log.clear();
  for (int i = 0; i < 40; ++i) log += Line(50, std::string(430, 'x'));
  Read(log + Line(55, "later"));
  EXPECT_GT(trail_.dropped_lines(), 20);
  const std::vector<std::string> texts = Texts();
  ASSERT_GE(texts.size(), 2U);
  EXPECT_THAT(texts[texts.size() - 2], HasSubstr("lines dropped"));
  EXPECT_EQ(texts.back(), "later");
}

TEST_F(TrailLinesTest, TheNextFileEndsWhatTheOneBeforeHad) {
  Read("panic: oh\n", true);
  inode_ = 8;
  offset_ = 0;
  Read(Line(1, "first"), true);
  EXPECT_THAT(Texts(), ElementsAre("panic: oh", "first"));
  EXPECT_EQ(trail_.safe()->file.inode, 8);
  EXPECT_EQ(safe(), offset_);
}

TEST_F(TrailLinesTest, InTheMiddleOfAFileThePartOfALineIsLeftOut) {
  TrailRead read{.position = {.file = {1, 7}, .offset = 500},
                 .bytes = "of a line\n" + Line(1, "whole")};
  read.step = {.offset = 500, .begins = true, .mid_line = true};
  EXPECT_TRUE(trail_.Take(read, at(), &lines_));
  EXPECT_THAT(Texts(), ElementsAre("whole"));
}

TEST_F(TrailLinesTest, ATimeInTheFutureIsNotBelieved) {
  clock_.SkewWall(-1h);
  Read(Line(1, "first"), true);
  ASSERT_EQ(lines_.size(), 1U);
  EXPECT_FALSE(lines_[0].line.time);
  EXPECT_EQ(lines_[0].arrival, ToLogTime(clock_.Wall()));
}

}  // namespace
}  // namespace meridian::watch
