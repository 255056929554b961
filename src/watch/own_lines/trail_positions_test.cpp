#include "watch/own_lines/trail_positions.hpp"

#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meridian::watch {
namespace {

using testing::HasSubstr;

TrailPositions Example() {
  TrailPositions positions{.sequence = (uint64_t{9} << 32) + 17};
  positions.files["edge.log"] = {
      .file = {2049, 131},
      .head = ~uint64_t{0},
      .offset = 8192,
      .written = WallTime{std::chrono::nanoseconds{1795224138000000001}}};
  positions.files["agent.log"] = {.file = {2049, 132}};
  return positions;
}

TEST(TrailPositions, WhatIsWrittenIsReadAgain) {
  auto read = ReadPositions(EncodePositions(Example()));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, Example());
  auto empty = ReadPositions(EncodePositions({}));
  ASSERT_TRUE(empty);
  EXPECT_EQ(*empty, TrailPositions{});
}

TEST(TrailPositions, AnyOtherTextIsRefused) {
  const std::string text = EncodePositions(Example());
  // A part of the file, wherever it ends, is no file.
  for (size_t bytes = 0; bytes < text.size(); ++bytes) {
    const std::string part = text.substr(0, bytes);
    const bool whole_lines = part.ends_with('\n') && part.contains("sequence");
    EXPECT_EQ(ReadPositions(part).has_value(), whole_lines) << part;
  }
  for (const char* line : {"edge.log 1 2 3 4 5 6\n", "edge.log 1 2 3 4 x\n", " 1 2 3 4 5\n", "\n",
                           "edge.log -1 2 3 4 5\n", "agent.log 1 2 3 4 5\n"}) {
    auto read = ReadPositions(text + line);
    ASSERT_FALSE(read) << line;
    EXPECT_THAT(read.error().message, HasSubstr("line 5"));
  }
  EXPECT_FALSE(ReadPositions("meridian watch positions 2\nsequence 1\n"));
}

}  // namespace
}  // namespace meridian::watch
