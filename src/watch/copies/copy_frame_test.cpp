#include "watch/copies/copy_frame.hpp"

#include <chrono>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "watch/log/remote/limits.hpp"

namespace meridian::watch {
namespace {

using testing::HasSubstr;

Buffer Holding(std::string_view bytes) {
  Buffer in(size_t{1} << 20);
  EXPECT_TRUE(in.Append(bytes));
  return in;
}

CopyFrame ExampleFrame() {
  CopyFrame frame{.cursor = {.rest = 17, .urgent = 99}, .kept = 5, .first = 9, .current = true};
  frame.searched = LogTime{std::chrono::microseconds{1'795'224'138'000'001}};
  frame.page.end_sequence = 100;
  frame.page.entries.push_back({.origin = {.dc = "us-east", .tier = "edge"},
                                .sequence = 16,
                                .severity = Severity::kError,
                                .text = "the disk is full"});
  return frame;
}

TEST(CopyFrame, ARequestIsReadAsItWasWrittenHoweverItIsCut) {
  const std::string text =
      EncodeCopyRequest({.from = {3, 5}, .max_bytes = 1 << 20, .data_center = "us-west"});
  for (size_t bytes = 0; bytes < text.size(); ++bytes) {
    Buffer part = Holding(text.substr(0, bytes));
    auto request = TakeCopyRequest(part);
    ASSERT_TRUE(request);
    EXPECT_FALSE(*request) << bytes;
    EXPECT_EQ(part.size(), bytes);
  }
  Buffer in = Holding(text + "rest");
  auto request = TakeCopyRequest(in);
  ASSERT_TRUE(request && *request);
  EXPECT_EQ((*request)->from, (CopyCursor{3, 5}));
  EXPECT_EQ((*request)->max_bytes, 1 << 20);
  EXPECT_EQ((*request)->data_center, "us-west");
  EXPECT_EQ(in.text(), "rest");
}

TEST(CopyFrame, AnotherProtocolIsRefusedAtOnce) {
  for (const char* wrong : {"G", "GET / HTTP/1.1\r\n", "MCPX"}) {
    Buffer in = Holding(wrong);
    EXPECT_FALSE(TakeCopyRequest(in)) << wrong;
  }
  std::string version = EncodeCopyRequest({.data_center = "us-west"});
  version[4] = 2;
  Buffer in = Holding(version);
  auto request = TakeCopyRequest(in);
  ASSERT_FALSE(request);
  EXPECT_THAT(request.error().message, HasSubstr("version 2"));
}

TEST(CopyFrame, AFrameIsReadAsItWasWrittenHoweverItIsCut) {
  const std::string text = EncodeCopyFrame(ExampleFrame());
  for (size_t bytes = 0; bytes < text.size(); ++bytes) {
    Buffer part = Holding(text.substr(0, bytes));
    auto frame = TakeCopyFrame(part);
    ASSERT_TRUE(frame);
    EXPECT_FALSE(*frame) << bytes;
  }
  Buffer in = Holding(text + text);
  for (int i = 0; i < 2; ++i) {
    auto frame = TakeCopyFrame(in);
    ASSERT_TRUE(frame && *frame);
    EXPECT_EQ((*frame)->cursor, ExampleFrame().cursor);
    EXPECT_EQ((*frame)->kept, 5);
    EXPECT_EQ((*frame)->first, 9);
    EXPECT_EQ((*frame)->searched, ExampleFrame().searched);
    EXPECT_TRUE((*frame)->current);
    EXPECT_FALSE((*frame)->gap);
    EXPECT_EQ((*frame)->page.entries, ExampleFrame().page.entries);
  }
  EXPECT_TRUE(in.empty());
}

TEST(CopyFrame, AFrameSaysThatThereIsAGapBeforeIt) {
  CopyFrame gap = ExampleFrame();
  gap.gap = true;
  gap.current = false;
  Buffer in = Holding(EncodeCopyFrame(gap));
  auto frame = TakeCopyFrame(in);
  ASSERT_TRUE(frame && *frame);
  EXPECT_TRUE((*frame)->gap);
  EXPECT_FALSE((*frame)->current);
}

TEST(CopyFrame, AFrameThatCannotBeIsRefused) {
  const std::string text = EncodeCopyFrame(ExampleFrame());
  std::string large = text;
  large[0] = '\x7f';
  Buffer too_large = Holding(large);
  EXPECT_EQ(TakeCopyFrame(too_large).error().code, Errc::kTooLarge);
  std::string no_json = text;
  no_json[kCopyFrameHeadBytes] = 'x';
  Buffer wrong = Holding(no_json);
  EXPECT_FALSE(TakeCopyFrame(wrong));
  std::string flags = text;
  flags[kCopyFrameHeadBytes - 1] = 4;
  Buffer unknown = Holding(flags);
  EXPECT_FALSE(TakeCopyFrame(unknown));
  CopyFrame backwards = ExampleFrame();
  backwards.cursor = {.rest = 9, .urgent = 8};
  Buffer cursor = Holding(EncodeCopyFrame(backwards));
  EXPECT_FALSE(TakeCopyFrame(cursor));
}

}  // namespace
}  // namespace meridian::watch
