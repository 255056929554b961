#include "agent/report/startup_report.hpp"

#include <gtest/gtest.h>

namespace meridian::agent {
namespace {

std::string_view WithoutNewline(std::string_view line) { return line.substr(0, line.size() - 1); }

TEST(StartupReport, CarriesSuccessAndTheReasonOfFailure) {
  EXPECT_TRUE(DecodeStartupReport(WithoutNewline(EncodeStartupReport({}))));
  std::string reason = "[app] \"x\" ended:\nline two";
  std::string line = EncodeStartupReport(Fail(Errc::kIo, "{}", reason));
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_EQ(DecodeStartupReport(WithoutNewline(line)).error().message, reason);
}

TEST(StartupReport, WhatIsWaitedForIsToldFromTheOutcome) {
  std::string line = EncodeWaitReport("the \"dns\" tier");
  EXPECT_EQ(DecodeWaitReport(WithoutNewline(line)), "the \"dns\" tier");
  EXPECT_FALSE(DecodeStartupReport(WithoutNewline(line)));
  EXPECT_FALSE(DecodeWaitReport(WithoutNewline(EncodeStartupReport({}))));
  EXPECT_FALSE(DecodeWaitReport("{"));
  std::string longest = EncodeWaitReport(std::string(kMaxWaitReportBytes + 1, 'x'));
  EXPECT_EQ(DecodeWaitReport(WithoutNewline(longest))->size(), kMaxWaitReportBytes);
}

TEST(StartupReport, IsBounded) {
  std::string line =
      EncodeStartupReport(Fail(Errc::kIo, "{}", std::string(kMaxStartupReportBytes, 'x')));
  EXPECT_LE(line.size(), kMaxStartupReportBytes);
  EXPECT_FALSE(DecodeStartupReport(WithoutNewline(line)));
}

TEST(StartupReport, AnythingElseIsInvalid) {
  for (const char* line : {"", "{", "[]", "{}", "{\"ready\":false}", "{\"error\":5}"}) {
    EXPECT_EQ(DecodeStartupReport(line).error().code, Errc::kInvalid) << line;
  }
}

}  // namespace
}  // namespace meridian::agent
