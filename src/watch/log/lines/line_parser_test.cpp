#include "watch/log/lines/line_parser.hpp"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "watch/log/lines/line_time.hpp"

namespace meridian::watch {
namespace {

using namespace std::chrono_literals;

constexpr LogTime At(int hour, int minute, int second, int micros = 0) {
  return std::chrono::sys_days(std::chrono::year{2026} / 11 / 21) + std::chrono::hours{hour} +
         std::chrono::minutes{minute} + std::chrono::seconds{second} +
         std::chrono::microseconds{micros};
}
constexpr LogTime kArrival = At(1, 22, 19);

LogLine Parse(std::string_view text) { return ParseLine(text, kArrival); }

TEST(LineTime, IsReadInTheFormsOfCommonLoggers) {
  struct Case {
    std::string_view text;
    LogTime time;
  };
  for (const Case& line : {
           Case{"2026-11-21T01:22:18.123456Z", At(1, 22, 18, 123456)},
           {"2026-11-21T01:22:18.123456789Z rest", At(1, 22, 18, 123456)},
           {"2026-11-21 01:22:18,123 INFO", At(1, 22, 18, 123000)},
           {"2026-11-21T03:22:18+02:00", At(1, 22, 18)},
           {"2026-11-20T20:22:18-0500 x", At(1, 22, 18)},
           {"2026-11-21 03:22:18.5 +0200", At(1, 22, 18, 500000)},
           {"2026/11/21 01:22:18 [error] 7#7", At(1, 22, 18)},
           {"[2026-11-21T01:22:18Z] x", At(1, 22, 18)},
           {"2026-11-21 01:22:18 - 12 requests", At(1, 22, 18)},
       }) {
    EXPECT_EQ(ParseLineTime(line.text), line.time) << line.text;
  }
}

TEST(LineTime, IsNothingWhereNoTimeStands) {
  for (std::string_view text :
       {"", "hello", "2026", "2026-11-21", "2026-13-21T01:22:18Z", "2026-02-30T01:22:18Z",
        "2026-11-21T25:22:18Z", "2026-11/21 01:22:18", "2026-11-21T01:22:18.Z", "20261121T012218Z",
        "x2026-11-21T01:22:18Z"}) {
    EXPECT_EQ(ParseLineTime(text), std::nullopt) << text;
  }
}

TEST(LineTime, NumbersAreSecondsMillisecondsMicrosecondsOrNanoseconds) {
  EXPECT_EQ(TimeOfNumber(1795224138), At(1, 22, 18));
  EXPECT_EQ(TimeOfNumber(1795224138.5), At(1, 22, 18, 500000));
  EXPECT_EQ(TimeOfNumber(1795224138123), At(1, 22, 18, 123000));
  EXPECT_EQ(TimeOfNumber(1795224138123456), At(1, 22, 18, 123456));
  EXPECT_EQ(*TimeOfNumber(1795224138123456000) - At(1, 22, 18, 123456), 0us);
  for (double number : {0.0, -1.0, 12.0, 1e30, -1e30})
    EXPECT_EQ(TimeOfNumber(number), std::nullopt) << number;
}

TEST(LineParser, JsonGivesItsParts) {
  LogLine line = Parse(
      R"({"time":"2026-11-21T01:22:18.123456Z","level":"warn","process":"edge","event":"slow \"origin\"",)"
      R"( "bytes": 12345678901234567890123, "list":[1,{"a":","}],"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"})");
  EXPECT_EQ(line.time, At(1, 22, 18, 123456));
  EXPECT_EQ(line.severity, Severity::kWarning);
  EXPECT_EQ(line.text, "slow \"origin\"");
  EXPECT_EQ(line.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  // As it was written: a number that no double holds too.
  EXPECT_EQ(line.fields,
            R"({"process":"edge","bytes": 12345678901234567890123,"list":[1,{"a":","}],)"
            R"("trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"})");
}

TEST(LineParser, PinoAndTraceparentAreUnderstood) {
  LogLine line =
      Parse(R"({"level":50,"time":1795224138123,"pid":7,"msg":"no",)"
            R"("traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"})");
  EXPECT_EQ(line.time, At(1, 22, 18, 123000));
  EXPECT_EQ(line.severity, Severity::kError);
  EXPECT_EQ(line.text, "no");
  EXPECT_EQ(line.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
}

TEST(LineParser, TheFirstMessageOfTheListIsTaken) {
  LogLine line = Parse(R"({"event":"login","message":"hello"})");
  EXPECT_EQ(line.text, "hello");
  EXPECT_EQ(line.fields, R"({"event":"login"})");
}

TEST(LineParser, ATimeThatIsNotBelievedStays) {
  LogLine line = Parse(R"({"time":"2020-11-21T01:22:18Z","msg":"old"})");
  EXPECT_EQ(line.time, std::nullopt);
  EXPECT_EQ(line.fields, R"({"time":"2020-11-21T01:22:18Z"})");
  EXPECT_EQ(Parse("2027-01-01 00:00:00 future").time, std::nullopt);
}

TEST(LineParser, TimesThousandsOfYearsAwayOverflowNothing) {
  for (std::string_view year : {"6781", "0000", "9999", "1492"}) {
    EXPECT_EQ(Parse(std::string(year) + "-01-01T00:00:00Z x").time, std::nullopt) << year;
  }
}

TEST(LineParser, MembersOfAnotherTypeStay) {
  LogLine line = Parse(R"({"level":{"a":1},"msg":7,"time":null,"trace_id":"../../x"})");
  EXPECT_EQ(line.severity, Severity::kUnknown);
  EXPECT_EQ(line.text, "");
  EXPECT_EQ(line.trace_id, "");
  EXPECT_EQ(line.fields, R"({"level":{"a":1},"msg":7,"time":null,"trace_id":"../../x"})");
}

TEST(LineParser, AMessageHasNoControlBytesEitherWhereJsonEscapesThem) {
  LogLine line = Parse(R"({"msg":"\u001b[31mred\u001b[0m\r\nnext\u0000"})");
  EXPECT_EQ(line.text, "red\\x0D\nnext\\x00");
  EXPECT_TRUE(line.marks.Has(EntryMark::kColours));
  EXPECT_TRUE(line.marks.Has(EntryMark::kEscaped));
}

TEST(LineParser, WhatIsNoJsonObjectIsPlainText) {
  for (std::string_view text :
       {R"({"msg":"cut)", "{", "{}", "{not json}", R"({"a":1} trailing)", "[1,2]", "\"text\""}) {
    LogLine line = Parse(text);
    EXPECT_EQ(line.text, text);
    EXPECT_EQ(line.fields, "");
  }
}

TEST(LineParser, PlainLinesSayTheirLevel) {
  struct Case {
    std::string_view text;
    Severity severity;
  };
  for (const Case& line : {
           Case{"2026-11-21 01:22:18,123 ERROR main: no", Severity::kError},
           {"[warn] careful", Severity::kWarning},
           {"2026/11/21 01:22:18 [error] 7#7: *1 open()", Severity::kError},
           {"<debug> x", Severity::kDebug},
           {"level=info msg=\"started\"", Severity::kInfo},
           {"time=x level=\"error\" msg=y", Severity::kError},
           {"error: cannot open", Severity::kError},
           {"panic: runtime error", Severity::kFatal},
           {"WARNING:root:careful", Severity::kWarning},
           {"CRITICAL out of memory", Severity::kFatal},
           {"Exception in thread \"main\" java.lang.Error", Severity::kError},
           {"Traceback (most recent call last):", Severity::kError},
           {"there was no error here", Severity::kUnknown},
           {"GET /error HTTP/1.1", Severity::kUnknown},
           {"MAX_ERROR reached", Severity::kUnknown},
           {"", Severity::kUnknown},
       }) {
    EXPECT_EQ(Parse(line.text).severity, line.severity) << line.text;
  }
}

TEST(LineParser, PlainLinesSayTheirTrace) {
  constexpr std::string_view kTrace = "4bf92f3577b34da6a3ce929d0e0e4736";
  for (std::string front : {"trace_id=", "done traceId: \"", "traceparent=00-", "x trace-id = "}) {
    EXPECT_EQ(Parse(front + std::string(kTrace) + "-7").trace_id, kTrace) << front;
  }
  for (std::string_view text : {"trace_id=4bf92f", "trace=", "trace", "backtrace: 12",
                                "trace_id=4bf92f3577b34da6a3ce929d0e0e47361"}) {
    EXPECT_EQ(Parse(text).trace_id, "") << text;
  }
}

}  // namespace
}  // namespace meridian::watch
