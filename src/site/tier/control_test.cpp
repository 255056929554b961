#include "site/tier/control.hpp"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "site/limits.hpp"

namespace meridian::site {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// All lines of `input`, fed in pieces of `piece_bytes`.
std::vector<std::string> Lines(LineSplitter& splitter, std::string_view input, size_t piece_bytes) {
  std::vector<std::string> lines;
  while (!input.empty()) {
    std::string_view piece = input.substr(0, piece_bytes);
    input.remove_prefix(piece.size());
    while (true) {
      Result<std::optional<std::string>> line = splitter.Take(&piece);
      if (!line) {
        lines.push_back("error: " + line.error().message);
        return lines;
      }
      if (!*line) break;
      lines.push_back(**line);
    }
    EXPECT_TRUE(piece.empty());
  }
  return lines;
}

SiteView SmallView() {
  return {.number = 3,
          .datacenters = {{.name = "us-east", .address = {}, .location = {}}},
          .instances = {},
          .links = {}};
}

TEST(LineSplitter, FindsTheSameLinesHoweverTheStreamWasTorn) {
  for (size_t piece_bytes = 1; piece_bytes <= 12; ++piece_bytes) {
    LineSplitter splitter(4);
    EXPECT_THAT(Lines(splitter, "one\n\ntwo\nfour\nrest", piece_bytes),
                ElementsAre("one", "", "two", "four"));
    EXPECT_FALSE(splitter.at_line_start());
    EXPECT_THAT(Lines(splitter, "\n", piece_bytes), ElementsAre("rest"));
    EXPECT_TRUE(splitter.at_line_start());
  }
}

TEST(LineSplitter, LineUpToTheLimitAndNotOneByteMoreHoweverTorn) {
  for (size_t piece_bytes = 1; piece_bytes <= 12; ++piece_bytes) {
    LineSplitter splitter(4);
    EXPECT_THAT(Lines(splitter, "1234\n", piece_bytes), ElementsAre("1234"));
    EXPECT_THAT(Lines(splitter, "12345\n", piece_bytes),
                ElementsAre("error: a line of more than 4 bytes"));
  }
}

TEST(ControlStream, ViewArrivesWholeThroughATornStream) {
  std::string stream = EncodeView(SmallView()).value() + EncodeView(SmallView()).value();
  LineSplitter splitter(kMaxControlLineBytes);
  std::vector<std::string> lines = Lines(splitter, stream, 7);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(DecodeView(lines[0]).value(), SmallView());
  EXPECT_EQ(DecodeView(lines[1]).value(), SmallView());
}

TEST(ControlStream, LargestViewFitsALineAndALargerOneIsNotSent) {
  SiteView view = SmallView();
  auto add = [&view] {
    std::string number = std::to_string(view.instances.size());
    view.instances.push_back({.id = number + std::string(200 - number.size(), 'x'),
                              .datacenter = view.datacenters.front().name});
  };
  while (ToJson(view)) add();
  EXPECT_EQ(EncodeView(view).error().code, Errc::kTooLarge);
  view.instances.pop_back();
  std::string line = EncodeView(view).value();
  line.pop_back();
  EXPECT_LE(line.size(), kMaxControlLineBytes);
  EXPECT_EQ(DecodeView(line).value(), view);
}

TEST(ControlStream, ReportArrivesAsSent) {
  TierReport report{.ready = true,
                    .view_number = 9,
                    .detail = "a \"b\"\nc",
                    .load_rps = 120,
                    .connections = 4711,
                    .leaving = 3,
                    .instances = {{.id = "us-east-1",
                                   .use = InstanceUse::kEjected,
                                   .in_flight = 7,
                                   .requests = 20,
                                   .failures = 18},
                                  {.id = "us-east-2"}}};
  std::string line = EncodeReport(report);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  line.pop_back();
  EXPECT_EQ(DecodeReport(line).value(), report);
}

TEST(ControlStream, LongDetailIsCutBetweenLetters) {
  TierReport report{.detail = std::string(kMaxDetailBytes - 1, 'x') + "\xe2\x82\xac"};
  std::string line = EncodeReport(report);
  line.pop_back();
  EXPECT_EQ(DecodeReport(line)->detail, std::string(kMaxDetailBytes - 1, 'x'));
  report.detail = "bad \xff byte";
  line = EncodeReport(report);
  line.pop_back();
  EXPECT_EQ(DecodeReport(line)->detail, "bad  byte");
}

TEST(ControlStream, DetailOfControlCharactersStillFitsAReport) {
  std::string line = EncodeReport({.detail = std::string(kMaxDetailBytes, '\x01')});
  line.pop_back();
  EXPECT_TRUE(DecodeReport(line)) << line.size();
}

TEST(ControlStream, MostAndLongestInstancesFitAReportAndMoreAreLeftOut) {
  TierReport report{.detail = std::string(kMaxDetailBytes, '\x01')};
  InstanceReport longest{.id = std::string(kMaxReportedNameBytes, '\x01'),
                         .use = InstanceUse::kSlowStart,
                         .in_flight = UINT32_MAX,
                         .requests = UINT32_MAX,
                         .failures = UINT32_MAX};
  report.instances.resize(kMaxInstancesPerDataCenter + 1, longest);
  std::string line = EncodeReport(report);
  line.pop_back();
  Result<TierReport> back = DecodeReport(line);
  ASSERT_TRUE(back) << line.size();
  report.instances.pop_back();
  EXPECT_EQ(back->instances, report.instances);
}

TEST(ControlStream, UseThatAnotherReleaseKnowsIsUnknownHere) {
  std::string line = EncodeReport({.instances = {{.id = "a", .use = InstanceUse::kEjected}}});
  line.replace(line.find("ejected"), 7, "pampered");
  line.pop_back();
  EXPECT_EQ(DecodeReport(line)->instances[0].use, InstanceUse::kUnknown);
}

TEST(ControlStream, UnknownKeysArePassedOver) {
  EXPECT_TRUE(DecodeReport(
      R"({"ready":false,"view":0,"detail":"","load_rps":0,"connections":0,"leaving":0,"new":[{}]})"));
  std::string line = EncodeView(SmallView()).value();
  line.replace(0, 1, R"({"new":1,)");
  EXPECT_EQ(DecodeView(line).value(), SmallView());
}

TEST(ControlStream, WhatIsNotAMessageIsRefused) {
  for (const char* line :
       {"", "x", "[]", "{}", R"({"view":1})", R"({"view":{}})", R"({"view":null})"}) {
    EXPECT_FALSE(DecodeView(line)) << line;
  }
  EXPECT_THAT(DecodeView("{}").error().message, HasSubstr("message.view: missing"));
  for (const char* line :
       {"", "{}", R"({"ready":1,"view":0,"detail":"","load_rps":0,"connections":0,"leaving":0})",
        R"({"ready":true,"view":"0","detail":"","load_rps":0,"connections":0,"leaving":0})",
        R"({"ready":true,"view":0,"detail":null,"load_rps":0,"connections":0,"leaving":0})",
        R"({"ready":true,"view":0,"detail":"","load_rps":-1,"connections":0,"leaving":0})",
        R"({"ready":true,"view":0,"detail":"","load_rps":4294967296,"connections":0,"leaving":0})",
        R"({"ready":true,"view":0,"detail":"","load_rps":0,"leaving":0})",
        R"({"ready":true,"view":0,"detail":"","load_rps":0,"connections":0})"}) {
    EXPECT_FALSE(DecodeReport(line)) << line;
  }
  EXPECT_EQ(DecodeReport(std::string(kMaxReportBytes + 1, ' ')).error().code, Errc::kTooLarge);
  EXPECT_EQ(DecodeView(std::string(kMaxControlLineBytes + 1, ' ')).error().code, Errc::kTooLarge);
}

}  // namespace
}  // namespace meridian::site
