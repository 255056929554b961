#include "agent/logs/output_buffer.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/limits.hpp"

namespace meridian::agent {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

constexpr WallTime kStart{std::chrono::sys_days(std::chrono::year{2026} / 11 / 30)};
constexpr size_t kSmall = 4096;

// Each frame as text: its bytes, "end", or "dropped 2 lines, 7 bytes".
std::vector<std::string> All(OutputBuffer& buffer) {
  std::vector<std::string> texts;
  while (auto frame = buffer.Take()) {
    switch (frame->kind) {
      case site::OutputKind::kBytes:
        texts.push_back(frame->bytes);
        break;
      case site::OutputKind::kDropped:
        texts.push_back(
            fmt::format("dropped {} lines, {} bytes", frame->dropped_lines, frame->dropped_bytes));
        break;
      default:
        texts.emplace_back("end");
    }
  }
  return texts;
}

TEST(OutputBuffer, OutputComesOutInOrderWithTheEndOfItsProcess) {
  OutputBuffer buffer;
  buffer.set_limit(kSmall);
  EXPECT_EQ(buffer.Append("one\ntw", kStart).bytes, 0U);
  EXPECT_EQ(buffer.Append("o\n", kStart + milliseconds{5}).bytes, 0U);
  buffer.End(kStart);
  buffer.End(kStart);
  EXPECT_EQ(buffer.Append("three\n", kStart).bytes, 0U);
  EXPECT_THAT(All(buffer), ElementsAre("one\ntwo\n", "end", "three\n"));
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.bytes(), 0U);
}

TEST(OutputBuffer, AFrameHasTheTimeOfItsFirstByteAndTakesLittleTime) {
  OutputBuffer buffer;
  buffer.set_limit(kSmall);
  (void)buffer.Append("a\n", kStart);
  (void)buffer.Append("b\n", kStart + milliseconds{99});
  (void)buffer.Append("c\n", kStart + milliseconds{100});
  (void)buffer.Append("d\n", kStart + milliseconds{50});  // the clock was set back
  std::vector<std::pair<std::string, WallTime>> frames;
  while (auto frame = buffer.Take()) frames.emplace_back(frame->bytes, frame->time);
  EXPECT_THAT(frames,
              ElementsAre(std::pair("a\nb\n", kStart), std::pair("c\n", kStart + milliseconds{100}),
                          std::pair("d\n", kStart + milliseconds{50})));
}

TEST(OutputBuffer, LongOutputIsDividedIntoFrames) {
  OutputBuffer buffer;
  buffer.set_limit(kMaxSourceBufferBytes);
  const std::string text(3 * site::kMaxOutputBytes + 1, 'x');
  EXPECT_EQ(buffer.Append(text, kStart).bytes, 0U);
  std::string all;
  while (auto frame = buffer.Take()) {
    EXPECT_LE(frame->bytes.size(), site::kMaxOutputBytes);
    all += frame->bytes;
  }
  EXPECT_EQ(all, text);
}

TEST(OutputBuffer, PastItsLimitLinesAreDroppedWholeAndCounted) {
  OutputBuffer buffer;
  buffer.set_limit(kSmall);
  const std::string fills(kSmall - 2 * kOutputFrameCost - 6, 'x');
  EXPECT_EQ(buffer.Append(fills + "\nbegun", kStart).bytes, 0U);
  // The rest of the line that was begun, and the beginning of another.
  DroppedOutput dropped = buffer.Append(std::string(1000, 'y') + "\nlost", kStart);
  EXPECT_EQ(dropped.bytes, 1005U);
  EXPECT_EQ(dropped.lines, 1U);
  EXPECT_EQ(buffer.Take()->bytes, fills + "\nbegun");
  // There is room again: but the line that comes has lost its beginning.
  dropped = buffer.Append(" too\nkept\n", kStart);
  EXPECT_EQ(dropped.bytes, 5U);
  EXPECT_EQ(dropped.lines, 1U);
  EXPECT_THAT(All(buffer), ElementsAre("dropped 2 lines, 1010 bytes", "kept\n"));
}

TEST(OutputBuffer, ADropAtTheEndOfALineLosesNothingOfTheNext) {
  OutputBuffer buffer;
  buffer.set_limit(kSmall);
  EXPECT_EQ(buffer.Drop("a\nb\n", kStart).lines, 2U);
  EXPECT_EQ(buffer.Append("c\n", kStart).bytes, 0U);
  EXPECT_THAT(All(buffer), ElementsAre("dropped 2 lines, 4 bytes", "c\n"));
}

TEST(OutputBuffer, ANewProcessDoesNotFinishTheLineOfTheOneBefore) {
  OutputBuffer buffer;
  buffer.set_limit(kSmall);
  (void)buffer.Drop("a", kStart);
  buffer.End(kStart);
  EXPECT_EQ(buffer.Append("whole\n", kStart).bytes, 0U);
  EXPECT_THAT(All(buffer), ElementsAre("dropped 0 lines, 1 bytes", "whole\n"));
}

// While nothing is taken: floods, and processes that print a little and end again and again.
TEST(OutputBuffer, ItsMemoryIsBoundedWhateverComes) {
  OutputBuffer buffer;
  buffer.set_limit(kSmall);
  for (int i = 0; i < 10'000; ++i) {
    (void)buffer.Append("a line of some process\n", kStart + i * milliseconds{200});
    if (i % 3 == 0) (void)buffer.Drop("more\n", kStart);
    if (i % 5 == 0) buffer.End(kStart);
    EXPECT_LE(buffer.bytes(), kSmall + 2 * kOutputFrameCost);
  }
  size_t frames = 0;
  while (buffer.Take()) ++frames;
  EXPECT_LE(frames, kSmall / kOutputFrameCost + 2);
}

}  // namespace
}  // namespace meridian::agent
