#include "site/tier/output_frame.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.hpp"

namespace meridian::site {
namespace {

using namespace std::literals;

constexpr WallTime kTime{std::chrono::sys_days(std::chrono::year{2026} / 11 / 30) +
                         std::chrono::microseconds{123'456}};

std::vector<OutputFrame> OneOfEach() {
  return {
      {.kind = OutputKind::kOrigin,
       .source = 7,
       .origin = {.tier = "worker",
                  .name = "thumbnail",
                  .instance = "us-east.thumbnail-1",
                  .release = "r7",
                  .host = "h1"}},
      {.kind = OutputKind::kBytes, .source = 7, .time = kTime, .bytes = std::string("a\0\nb", 4)},
      {.kind = OutputKind::kDropped,
       .source = 7,
       .time = kTime,
       .dropped_lines = 3,
       .dropped_bytes = uint64_t{1} << 40},
      {.kind = OutputKind::kEnd, .source = 0xffffffff, .time = kTime}};
}

// The frames of `bytes`, which arrive in pieces; or the error's code.
std::string Read(std::string_view bytes, size_t piece, std::vector<OutputFrame>* frames) {
  Buffer in(kMaxOutputFrameBytes + 4);
  while (!bytes.empty()) {
    const size_t space = std::min(piece, in.limit() - in.size());
    EXPECT_TRUE(in.Append(bytes.substr(0, space)));
    bytes.remove_prefix(std::min(space, bytes.size()));
    while (true) {
      auto frame = TakeOutputFrame(in);
      if (!frame) return std::string(ErrcName(frame.error().code));
      if (!*frame) break;
      frames->push_back(std::move(**frame));
    }
  }
  return in.empty() ? "" : "the rest is missing";
}

TEST(OutputFrame, EveryKindIsReadAsItWasWrittenHoweverItArrives) {
  std::string bytes;
  for (const OutputFrame& frame : OneOfEach()) AppendOutputFrame(frame, &bytes);
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    std::vector<OutputFrame> frames;
    EXPECT_EQ(Read(bytes, piece, &frames), "");
    EXPECT_EQ(frames, OneOfEach());
  }
}

TEST(OutputFrame, TheLargestBytesFitTheReadersBuffer) {
  const OutputFrame largest{.kind = OutputKind::kBytes,
                            .source = 1,
                            .time = kTime,
                            .bytes = std::string(kMaxOutputBytes, 'x')};
  std::string bytes;
  AppendOutputFrame(largest, &bytes);
  std::vector<OutputFrame> frames;
  EXPECT_EQ(Read(bytes, bytes.size(), &frames), "");
  EXPECT_EQ(frames, std::vector{largest});
}

TEST(OutputFrame, AnyOtherLengthOfAFrameIsRefused) {
  for (const OutputFrame& frame : OneOfEach()) {
    std::string bytes;
    AppendOutputFrame(frame, &bytes);
    std::vector<OutputFrame> frames;
    if (frame.kind != OutputKind::kBytes) {
      std::string longer = bytes + "x";
      ++longer[3];
      EXPECT_EQ(Read(longer, longer.size(), &frames), ErrcName(Errc::kInvalid));
    }
    std::string shorter =
        bytes.substr(0, bytes.size() - (frame.kind == OutputKind::kBytes ? 4 : 1));
    shorter[3] = static_cast<char>(shorter.size() - 4);
    EXPECT_EQ(Read(shorter, shorter.size(), &frames), ErrcName(Errc::kInvalid));
    EXPECT_TRUE(frames.empty());
  }
}

TEST(OutputFrame, ValuesPastTheirLimitsAreRefused) {
  const std::string header = "\0\0\0"s;
  for (const std::string& bytes : {
           header + "\x05\x09\0\0\0\1"s,                                  // no such kind
           header + "\x0d\x02\0\0\0\1\0\0\0\0\0\0\0\0"s,                  // no bytes
           header + "\x0d\x04\0\0\0\1\x7f\xff\xff\xff\xff\xff\xff\xff"s,  // a time past 2200
           header + "\x1d\x03\0\0\0\1"s + std::string(24, '\0'),          // nothing was dropped
           header + "\x09\x01\0\0\0\1\xff\xff\0\0"s,                      // a name of 64 KiB
           "\xff\xff\xff\xff"s,                                           // a frame of 4 GiB
       }) {
    std::vector<OutputFrame> frames;
    EXPECT_EQ(Read(bytes, bytes.size(), &frames), ErrcName(Errc::kInvalid));
  }
}

TEST(OutputFrame, WhatWasTakenComesBackWhole) {
  Buffer in(64);
  const std::string text = EncodeTaken(uint64_t{1} << 33) + EncodeTaken(5);
  ASSERT_TRUE(in.Append(std::string_view(text).substr(0, 7)));
  EXPECT_EQ(TakeTaken(in), std::nullopt);
  ASSERT_TRUE(in.Append(std::string_view(text).substr(7)));
  EXPECT_EQ(TakeTaken(in), uint64_t{1} << 33);
  EXPECT_EQ(TakeTaken(in), uint64_t{5});
  EXPECT_EQ(TakeTaken(in), std::nullopt);
}

}  // namespace
}  // namespace meridian::site
