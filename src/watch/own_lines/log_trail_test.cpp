#include "watch/own_lines/log_trail.hpp"

#include <chrono>
#include <optional>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "watch/own_lines/limits.hpp"

namespace meridian::watch {
namespace {

using std::chrono::seconds;

constexpr WallTime kNow = WallTime{seconds{1'000'000}};

SeenFile File(uint64_t inode, uint64_t bytes, seconds age = seconds{60}) {
  return {.identity = {1, inode},
          .head = 100 + inode,
          .bytes = bytes,
          .written = kNow - age,
          .changed = kNow - age};
}

TrailPosition At(uint64_t inode, uint64_t offset) {
  return {.file = {1, inode}, .head = 100 + inode, .offset = offset, .written = kNow - seconds{60}};
}

std::optional<TrailStep> Next(const std::optional<TrailPosition>& position,
                              const std::vector<SeenFile>& files) {
  return NextStep(position, files, kNow);
}

TEST(LogTrail, AGrowingFileIsReadFromThePosition) {
  auto step = Next(At(7, 100), {File(7, 150)});
  ASSERT_TRUE(step);
  EXPECT_EQ(step->offset, 100);
  EXPECT_FALSE(step->begins || step->gap || step->mid_line);
  EXPECT_FALSE(Next(At(7, 150), {File(7, 150)}));
  EXPECT_FALSE(Next(At(7, 150), {}));
}

TEST(LogTrail, WithoutAPositionTheEndOfALongFileIsRead) {
  auto small = Next(std::nullopt, {File(7, 1000), File(6, 1000)});
  ASSERT_TRUE(small);
  EXPECT_EQ(small->offset, 0);
  EXPECT_TRUE(small->begins);
  EXPECT_FALSE(small->mid_line);
  auto large = Next(std::nullopt, {File(7, 10 * kFirstTrailBytes)});
  ASSERT_TRUE(large);
  EXPECT_EQ(large->offset, 9 * kFirstTrailBytes);
  EXPECT_TRUE(large->mid_line);
  EXPECT_FALSE(Next(std::nullopt, {File(7, 0)}));
}

TEST(LogTrail, ARotatedFileIsReadToItsEndBeforeTheNextOne) {
  const std::vector<SeenFile> files = {File(9, 30), File(8, 200), File(7, 100)};
  auto rest = Next(At(7, 60), files);
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->file, 2U);
  EXPECT_EQ(rest->offset, 60);
  auto next = Next(At(7, 100), files);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->file, 1U);
  EXPECT_EQ(next->offset, 0);
  EXPECT_TRUE(next->begins);
  EXPECT_FALSE(next->gap);
  EXPECT_EQ(UnreadBytes(At(7, 60), files), 40 + 200 + 30);
}

TEST(LogTrail, LateLinesOfARotatedFileAreWaitedFor) {
  EXPECT_FALSE(Next(At(7, 100), {File(8, 30), File(7, 100, seconds{0})}));
  EXPECT_TRUE(Next(At(7, 100), {File(8, 30), File(7, 100, seconds{1})}));
  // A clock that was set back does not make it wait for long.
  EXPECT_TRUE(Next(At(7, 100), {File(8, 30), File(7, 100, seconds{-100})}));
}

TEST(LogTrail, AFileThatWasEmptiedIsReadFromItsFrontAndTheGapIsTold) {
  auto step = Next(At(7, 100), {File(7, 50), File(6, 10)});
  ASSERT_TRUE(step);
  EXPECT_EQ(step->file, 0U);
  EXPECT_EQ(step->offset, 0);
  EXPECT_TRUE(step->gap);
}

TEST(LogTrail, AnotherFileWithTheSameInodeIsNotTakenForTheOldOne) {
  SeenFile other = File(7, 500);
  other.head = 1;
  auto step = Next(At(7, 100), {other});
  ASSERT_TRUE(step);
  EXPECT_EQ(step->offset, 0);
  EXPECT_TRUE(step->gap);
  // A position in a file of few bytes knows no front.
  TrailPosition early = At(7, 10);
  early.head = 0;
  auto grown = Next(early, {File(7, 500)});
  ASSERT_TRUE(grown);
  EXPECT_EQ(grown->offset, 10);
  EXPECT_FALSE(grown->gap);
}

TEST(LogTrail, WhenTheFileIsGoneOnlyFilesThatWereWrittenLaterAreRead) {
  // It was removed by hand; the rotated ones had been read before.
  const std::vector<SeenFile> read_before = {File(9, 30, seconds{1}), File(6, 100, seconds{90})};
  auto step = Next(At(7, 100), read_before);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->file, 0U);
  EXPECT_TRUE(step->gap);
  // It was rotated away: all that are left are newer.
  auto oldest = Next(At(7, 100), {File(10, 30, seconds{1}), File(9, 30, seconds{20})});
  ASSERT_TRUE(oldest);
  EXPECT_EQ(oldest->file, 1U);
  EXPECT_FALSE(Next(At(7, 100), {File(6, 100, seconds{90})}));
}

}  // namespace
}  // namespace meridian::watch
