#include "watch/copies/copy_lanes.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "watch/copies/limits.hpp"

namespace meridian::watch {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

LogEntry Entry(uint64_t sequence, const char* tier, Severity severity) {
  return {.origin = {.dc = "us-east", .tier = tier}, .sequence = sequence, .severity = severity};
}

LogPage Page(std::vector<LogEntry> entries, uint64_t end, bool more) {
  LogPage page{.entries = std::move(entries)};
  page.end_sequence = end;
  if (more) page.next = PositionOf({}, page.entries.back().sequence, LogOrder::kArrival);
  return page;
}

std::vector<uint64_t> Sequences(const CopyFrame& frame) {
  std::vector<uint64_t> sequences;
  for (const LogEntry& entry : frame.page.entries) sequences.push_back(entry.sequence);
  return sequences;
}

TEST(CopyLanes, WarningsOfMeridiansProcessesAreUrgent) {
  EXPECT_TRUE(IsUrgent(Entry(1, "edge", Severity::kWarning)));
  EXPECT_TRUE(IsUrgent(Entry(1, "agent", Severity::kError)));
  EXPECT_FALSE(IsUrgent(Entry(1, "edge", Severity::kInfo)));
  EXPECT_FALSE(IsUrgent(Entry(1, "edge", Severity::kUnknown)));
  EXPECT_FALSE(IsUrgent(Entry(1, "app", Severity::kFatal)));
  EXPECT_FALSE(IsUrgent(Entry(1, "worker", Severity::kFatal)));
}

TEST(CopyLanes, WhatWasSentAsUrgentIsNotSentAgain) {
  CopyCursor cursor{.rest = 10, .urgent = 10};
  CopyFrame urgent = UrgentFrame(
      cursor, Page({Entry(20, "edge", Severity::kError), Entry(21, "app", Severity::kError),
                    Entry(30, "dns", Severity::kWarning)},
                   100, false));
  EXPECT_THAT(Sequences(urgent), ElementsAre(20, 30));
  EXPECT_EQ(urgent.cursor, (CopyCursor{10, 100}));
  EXPECT_FALSE(urgent.current);
  CopyFrame rest = RestFrame(
      urgent.cursor, Page({Entry(19, "edge", Severity::kInfo), Entry(20, "edge", Severity::kError),
                           Entry(21, "app", Severity::kError)},
                          100, true));
  EXPECT_THAT(Sequences(rest), ElementsAre(19, 21));
  EXPECT_EQ(rest.cursor, (CopyCursor{22, 100}));
  EXPECT_FALSE(rest.current);
  // What came after the urgent ones were looked for is sent with the rest.
  CopyFrame last =
      RestFrame(rest.cursor,
                Page({Entry(30, "dns", Severity::kWarning), Entry(101, "edge", Severity::kError)},
                     102, false));
  EXPECT_THAT(Sequences(last), ElementsAre(101));
  EXPECT_EQ(last.cursor, (CopyCursor{102, 102}));
  EXPECT_TRUE(last.current);
}

uint64_t At(uint64_t segment, uint64_t line) { return segment << 32 | line; }

LogEntry Info(uint64_t sequence) { return Entry(sequence, "edge", Severity::kInfo); }

TEST(CopyLanes, AHoleInASegmentIsToldOnce) {
  CopyFrame passes = RestFrame({.rest = At(3, 10), .urgent = At(3, 10)},
                               Page({Info(At(3, 10)), Info(At(3, 15))}, At(4, 0), true));
  EXPECT_TRUE(passes.gap);
  LogPage page = Page({Info(At(3, 16)), Info(At(3, 17))}, At(4, 0), true);
  page.unread_lines = 4;  // of before, or of behind it
  CopyFrame next = RestFrame(passes.cursor, page);
  EXPECT_FALSE(next.gap);
  CopyFrame last = RestFrame(next.cursor, Page({Info(At(3, 18)), Info(At(4, 0))}, At(4, 1), false));
  EXPECT_FALSE(last.gap);
  EXPECT_TRUE(last.current);
}

TEST(CopyLanes, AHoleAtTheEdgeOfAPageOrSegmentIsTold) {
  const CopyCursor cursor{.rest = At(3, 10), .urgent = At(3, 10)};
  EXPECT_TRUE(RestFrame(cursor, Page({Info(At(3, 11))}, At(3, 12), false)).gap);
  EXPECT_TRUE(RestFrame(cursor, Page({Info(At(3, 10))}, At(3, 12), false)).gap);
  EXPECT_TRUE(RestFrame(cursor, Page({Info(At(3, 10)), Info(At(4, 1))}, At(4, 2), false)).gap);
  EXPECT_TRUE(RestFrame(cursor, Page({}, At(3, 12), false)).gap);
  LogPage unread = Page({Info(At(3, 10)), Info(At(4, 0))}, At(4, 1), false);
  EXPECT_FALSE(RestFrame(cursor, unread).gap);
  unread.unread_lines = 500;  // the last ones of segment 3
  EXPECT_TRUE(RestFrame(cursor, unread).gap);
}

TEST(CopyLanes, NeitherUrgentLinesNorTheFirstOfAFollowerMakeAGap) {
  const LogEntry urgent = Entry(At(3, 11), "edge", Severity::kError);
  const LogPage page = Page({Info(At(3, 10)), urgent, Info(At(3, 12))}, At(3, 13), false);
  CopyFrame frame = RestFrame({.rest = At(3, 10), .urgent = At(3, 12)}, page);
  EXPECT_THAT(Sequences(frame), ElementsAre(At(3, 10), At(3, 12)));
  EXPECT_FALSE(frame.gap);
  EXPECT_FALSE(RestFrame({}, page).gap);
}

TEST(CopyLanes, ALongPageIsEndedAndTheNextOneGoesOnThere) {
  std::vector<LogEntry> entries;
  for (uint64_t i = 1; i <= 10; ++i) {
    entries.push_back(Entry(i, "edge", Severity::kInfo));
    entries.back().text = std::string(kCopyPageBytes / 4, 'x');
  }
  CopyFrame frame = RestFrame({}, Page(entries, 50, false));
  EXPECT_THAT(Sequences(frame), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(frame.cursor, (CopyCursor{5, 5}));
  EXPECT_FALSE(frame.current);
  EXPECT_EQ(RestQuery(frame.cursor).after, PositionOf({}, 4, LogOrder::kArrival));
}

TEST(CopyLanes, AnEmptyPageMovesTheCursorToTheEnd) {
  CopyFrame frame = RestFrame({.rest = 5, .urgent = 7}, Page({}, 60, false));
  EXPECT_THAT(Sequences(frame), IsEmpty());
  EXPECT_EQ(frame.cursor, (CopyCursor{60, 60}));
  EXPECT_TRUE(frame.current);
}

}  // namespace
}  // namespace meridian::watch
