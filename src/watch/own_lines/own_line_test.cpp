#include "watch/own_lines/own_line.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace meridian::watch {
namespace {

constexpr std::string_view kOutput =
    R"({"time":"2026-11-21T01:22:18.123456Z","level":"info","process":"agent","dc":"us-east","event":"output","instance":"us-east-1","line":"hello"})";
constexpr std::string_view kQuota =
    R"({"time":"2026-11-21T01:22:18.123456Z","level":"info","process":"agent","dc":"us-east","event":"output dropped","instance":"us-east-1"})";
// The application printed the text of an event of its own.
constexpr std::string_view kForged =
    R"({"time":"2026-11-21T01:22:18.123456Z","level":"info","process":"agent","dc":"us-east","event":"refused","line":"\"event\":\"output\","})";

TEST(OwnLine, TheAgentsCopyOfOutputIsToldFromItsOwnLines) {
  EXPECT_TRUE(IsApplicationOutput(kOutput));
  EXPECT_FALSE(IsApplicationOutput(kQuota));
  EXPECT_FALSE(IsApplicationOutput(kForged));
  EXPECT_FALSE(IsApplicationOutput(R"(plain "event":"output",)"));
}

TEST(OwnLine, ItsTimeIsAtItsFront) {
  EXPECT_EQ(OwnLineTime(kOutput), std::chrono::sys_days(std::chrono::year{2026} / 11 / 21) +
                                      std::chrono::hours{1} + std::chrono::minutes{22} +
                                      std::chrono::seconds{18} + std::chrono::microseconds{123456});
  EXPECT_FALSE(OwnLineTime("terminate called"));
  const auto second = std::chrono::sys_days(std::chrono::year{2026} / 11 / 21) +
                      std::chrono::hours{1} + std::chrono::minutes{22} + std::chrono::seconds{18};
  EXPECT_EQ(OwnLineTime("ts=2026-11-21T01:22:18.123Z caller=main.go:573 level=info msg=x"),
            second + std::chrono::milliseconds{123});
  EXPECT_EQ(OwnLineTime("time=2026-11-21T03:22:18.5+02:00 level=INFO source=main.go:1 msg=x"),
            second + std::chrono::milliseconds{500});
  EXPECT_FALSE(OwnLineTime("ts=soon level=info"));
  EXPECT_FALSE(OwnLineTime(R"({"time":"soon"})"));
}

std::string FieldsAfter(std::string fields, std::string_view process) {
  const std::vector<std::string> processes = {"agent", "guard"};
  EXPECT_EQ(TakeProcess(processes, &fields), process);
  return fields;
}

TEST(OwnLine, ProcessAndDataCenterAreTakenOutOfTheFields) {
  EXPECT_EQ(FieldsAfter(R"({"process":"guard","dc":"us-east","port":80})", "guard"),
            R"({"port":80})");
  EXPECT_EQ(FieldsAfter(R"({"process":"agent","dc":"us-east"})", "agent"), "");
  EXPECT_EQ(FieldsAfter(R"({"process":"agent","port":80})", "agent"), R"({"port":80})");
}

TEST(OwnLine, FieldsOfOtherLinesStay) {
  for (const char* other :
       {"", "{}", R"({"process":"evil","dc":"us-east"})", R"({"port":80,"process":"agent"})",
        R"({"process":"agent)", R"({"process":1})", R"({"process":"ag\u0065nt"})"}) {
    EXPECT_EQ(FieldsAfter(other, ""), other);
  }
}

}  // namespace
}  // namespace meridian::watch
