#include "wire/http/fields/byte_range.hpp"

#include <string>

#include <gtest/gtest.h>

namespace meridian::wire::http {
namespace {

using Kind = RangeOutcome::Kind;

std::string Resolved(std::string_view value, uint64_t length) {
  RangeOutcome outcome = ResolveRange(value, length);
  if (outcome.kind == Kind::kWhole) return "whole";
  if (outcome.kind == Kind::kUnsatisfiable) return "unsatisfiable";
  std::string text;
  for (const ByteRange& part : outcome.parts()) {
    text += std::to_string(part.first) + "-" + std::to_string(part.last) + " ";
  }
  text.pop_back();
  return text;
}

TEST(ByteRange, TheExamplesOfRfc9110) {
  EXPECT_EQ(Resolved("bytes=0-499", 10000), "0-499");
  EXPECT_EQ(Resolved("bytes=500-999", 10000), "500-999");
  EXPECT_EQ(Resolved("bytes=-500", 10000), "9500-9999");
  EXPECT_EQ(Resolved("bytes=9500-", 10000), "9500-9999");
  EXPECT_EQ(Resolved("bytes=0-0,-1", 10000), "0-0 9999-9999");
  EXPECT_EQ(Resolved("bytes= 0-999, 4500-5499, -1000", 10000), "0-999 4500-5499 9000-9999");
}

TEST(ByteRange, PositionsPastTheEndAreTheEnd) {
  EXPECT_EQ(Resolved("bytes=5-99999999999999999999999999", 10), "5-9");
  EXPECT_EQ(Resolved("bytes=-11", 10), "0-9");
  EXPECT_EQ(Resolved("BYTES=0-9", 10), "0-9");
}

TEST(ByteRange, WithoutASatisfiableRangeItIsUnsatisfiable) {
  EXPECT_EQ(Resolved("bytes=10-", 10), "unsatisfiable");
  EXPECT_EQ(Resolved("bytes=-0", 10), "unsatisfiable");
  EXPECT_EQ(Resolved("bytes=10-20,99-", 10), "unsatisfiable");
  EXPECT_EQ(Resolved("bytes=10-20,1-2", 10), "1-2");
}

TEST(ByteRange, MalformedOrUnknownRangesAreIgnored) {
  for (const char* value :
       {"", "bytes", "bytes=", "bytes=,", "items=0-1", "bytes=1", "bytes=-", "bytes=2-1",
        "bytes=a-b", "bytes=0-1,x", "bytes=--1", "bytes=0-1 2-3", "bytes:0-1", "bytes=+1-2"}) {
    EXPECT_EQ(Resolved(value, 10), "whole") << value;
  }
}

TEST(ByteRange, AnEmptyRepresentationHasNoRanges) {
  EXPECT_EQ(Resolved("bytes=0-", 0), "whole");
  EXPECT_EQ(Resolved("bytes=-1", 0), "whole");
}

TEST(ByteRange, OverlappingRangesBecomeOneSoThatNoByteIsSentTwice) {
  EXPECT_EQ(Resolved("bytes=0-,0-,0-,0-", 10), "0-9");
  EXPECT_EQ(Resolved("bytes=5-7,0-5", 10), "0-7");
  EXPECT_EQ(Resolved("bytes=0-1,2-3", 10), "0-3");
  EXPECT_EQ(Resolved("bytes=8-9,0-1,4-5", 10), "8-9 0-1 4-5");
}

TEST(ByteRange, SixteenRangesAreAnsweredAndMoreAreIgnored) {
  std::string value = "bytes=0-0";
  for (size_t i = 1; i < kMaxByteRanges; ++i)
    value += "," + std::to_string(2 * i) + "-" + std::to_string(2 * i);
  EXPECT_EQ(ResolveRange(value, 1000).count, kMaxByteRanges);
  EXPECT_EQ(Resolved(value + ",900-901", 1000), "whole");
}

TEST(ByteRange, AContentRangeIsReadOnlyWhenItIsPossibleAndTellsTheLength) {
  auto part = ParseContentRange("bytes 42-1233/1234");
  ASSERT_TRUE(part);
  EXPECT_EQ(part->range, (ByteRange{.first = 42, .last = 1233}));
  EXPECT_EQ(part->length, 1234U);
  EXPECT_TRUE(ParseContentRange("Bytes 0-0/1"));
  for (const char* wrong :
       {"", "bytes", "bytes */1234", "bytes 0-1/*", "bytes 0-1", "bytes 1-0/9", "bytes 0-9/9",
        "bytes=0-1/9", "items 0-1/9", "bytes -1/9", "bytes 0-/9", "bytes 0-1/9 ", "bytes  0-1/9",
        "bytes 0/9-1", "bytes 0-1/9, bytes 2-3/9",
        "bytes 0-99999999999999999999/99999999999999999999"}) {
    EXPECT_FALSE(ParseContentRange(wrong)) << wrong;
  }
}

TEST(ByteRange, ContentRangeIsWritten) {
  EXPECT_EQ(ContentRange({.first = 42, .last = 1233}, 1234), "bytes 42-1233/1234");
  EXPECT_EQ(UnsatisfiedContentRange(1234), "bytes */1234");
}

}  // namespace
}  // namespace meridian::wire::http
