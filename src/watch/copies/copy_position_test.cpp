#include "watch/copies/copy_position.hpp"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

namespace meridian::watch {
namespace {

constexpr CopyPosition kExample = {.sequence = uint64_t{9} << 32,
                                   .cursor = {.rest = 17, .urgent = ~uint64_t{0}},
                                   .until = LogTime{std::chrono::microseconds{1795224138000001}}};

TEST(CopyPosition, WhatIsWrittenIsReadAgain) {
  auto read = ReadCopyPosition(EncodeCopyPosition(kExample));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, kExample);
}

TEST(CopyPosition, APartOrAnotherTextIsRefused) {
  const std::string text = EncodeCopyPosition(kExample);
  for (size_t bytes = 0; bytes < text.size(); ++bytes) {
    EXPECT_FALSE(ReadCopyPosition(text.substr(0, bytes))) << bytes;
  }
  EXPECT_FALSE(ReadCopyPosition(text + "\n"));
  EXPECT_FALSE(ReadCopyPosition("meridian watch copy 1\nsequence -1\nrest 1\nurgent 1\nuntil 1\n"));
  EXPECT_FALSE(ReadCopyPosition("meridian watch copy 2\nsequence 1\nrest 1\nurgent 1\nuntil 1\n"));
}

}  // namespace
}  // namespace meridian::watch
