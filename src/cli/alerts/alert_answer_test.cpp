#include "cli/alerts/alert_answer.hpp"

#include <string>
#include <string_view>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/alerts/limits.hpp"
#include "io/file/file.hpp"
#include "watch/log/lines/printable.hpp"

namespace meridian::cli {
namespace {

using testing::HasSubstr;

// As Prometheus 2.42 answers.
std::string Recorded() {
  return io::ReadFile(MERIDIAN_TESTDATA "/prometheus_alerts.json", kMaxAlertAnswerBytes).value();
}

std::string AnswerWith(std::string_view alerts) {
  return fmt::format(R"({{"status":"success","data":{{"alerts":[{}]}}}})", alerts);
}

std::string AlertNamed(std::string_view name, std::string_view state = "firing",
                       std::string_view since = "2026-11-30T13:36:09Z") {
  return fmt::format(
      R"({{"labels":{{"alertname":"{}"}},"annotations":{{}},"state":"{}","activeAt":"{}"}})", name,
      state, since);
}

std::string ErrorOf(const std::string& json) {
  auto read = ReadAlertAnswer(json);
  return read ? "" : read.error().message;
}

TEST(AlertAnswer, APrometheussAnswerIsRead) {
  auto read = ReadAlertAnswer(Recorded());
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->alerts.size(), 2u);
  const Alert& down = read->alerts[0];
  EXPECT_EQ(down.name, "DataCenterDown");
  EXPECT_TRUE(down.firing);
  EXPECT_EQ(down.since_ms, 1'796'045'769'000);
  EXPECT_EQ(down.LabelOf("datacenter"), "us-east");
  EXPECT_EQ(down.LabelOf("alertname"), "");
  EXPECT_EQ(down.LabelOf("severity"), "page");
  EXPECT_EQ(down.AnnotationOf("runbook"), "docs/runbooks/DataCenterDown.md");
  EXPECT_EQ(down.AnnotationOf("nothing"), "");
  EXPECT_FALSE(read->alerts[1].firing);
  EXPECT_EQ(read->left_out, 0u);
}

TEST(AlertAnswer, NoAlertIsAnAnswerToo) {
  auto read = ReadAlertAnswer(AnswerWith(""));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_TRUE(read->alerts.empty());
}

TEST(AlertAnswer, AnythingElseIsRefusedWithTheReason) {
  EXPECT_NE(ErrorOf("<html>"), "");
  EXPECT_NE(ErrorOf(""), "");
  EXPECT_THAT(ErrorOf("[]"), HasSubstr("success"));
  EXPECT_THAT(ErrorOf(R"({"status":"error","error":"too\u001b[31m busy"})"),
              HasSubstr("success\": too busy"));
  EXPECT_THAT(ErrorOf(R"({"status":"success","data":{}})"), HasSubstr("no alerts"));
  EXPECT_THAT(ErrorOf(R"({"status":"success","data":{"alerts":{}}})"), HasSubstr("no alerts"));
  EXPECT_THAT(ErrorOf(AnswerWith("7")), HasSubstr("labels"));
  EXPECT_THAT(ErrorOf(AnswerWith(R"({"labels":{}})")), HasSubstr("no name"));
  EXPECT_THAT(ErrorOf(AnswerWith(R"({"labels":{"alertname":7}})")), HasSubstr("no text"));
  EXPECT_THAT(ErrorOf(AnswerWith(R"({"labels":{"alertname":"A"}})")), HasSubstr("annotations"));
  EXPECT_THAT(ErrorOf(AnswerWith(AlertNamed("A", "asleep"))), HasSubstr("state"));
  EXPECT_THAT(ErrorOf(AnswerWith(AlertNamed(""))), HasSubstr("no name"));
}

TEST(AlertAnswer, ATimeHasAFractionOrNoneAndAZone) {
  auto since = [](std::string_view text) {
    auto read = ReadAlertAnswer(AnswerWith(AlertNamed("A", "firing", text)));
    return read ? read->alerts.at(0).since_ms : -1;
  };
  EXPECT_EQ(since("2026-11-30T13:36:09Z"), 1'796'045'769'000);
  EXPECT_EQ(since("2026-11-30T13:36:09.1Z"), 1'796'045'769'000);
  EXPECT_EQ(since("2026-11-30T13:36:09.123456789Z"), 1'796'045'769'000);
  EXPECT_EQ(since("2026-11-30T14:36:09+01:00"), 1'796'045'769'000);
  EXPECT_EQ(since("2026-11-30T08:06:09.5-05:30"), 1'796'045'769'000);
  for (std::string_view wrong :
       {"", "Z", "2026-11-30T13:36:09", "2026-11-30T13:36:09+01", "2026-11-30T13:36:09+0a:00",
        "2026-11-30T13:36:09+01:00Z", "2026-11-30T13:36:09Z01:00", "2026-11-30T13:36:09-",
        "2026-11-30T13:36:09.1234567890Z", "2026-11-30T13:36:09.12x456Z", "2026-11-30T13:36:09 Z",
        "2026-13-30T13:36:09Z", "2026-11-30T13:36Z"}) {
    EXPECT_EQ(since(wrong), -1) << wrong;
  }
}

TEST(AlertAnswer, WhateverAnApplicationPutsIntoItsLabelsIsSafeForATerminal) {
  const std::string json =
      AnswerWith(R"({"labels":{"alertname":"A\u001b[2J","gr\noup":"a\u0007b\r\nc\u009bd"},)"
                 R"("annotations":{"summary":"\u001b]0;title\u0007two\nlines\ttab"},)"
                 R"("state":"firing","activeAt":"2026-11-30T13:36:09Z"})");
  auto read = ReadAlertAnswer(json);
  ASSERT_TRUE(read) << read.error().message;
  const Alert& alert = read->alerts.at(0);
  EXPECT_EQ(alert.name, "A");
  EXPECT_EQ(alert.AnnotationOf("summary"), "two lines tab");
  for (const auto& [name, value] : alert.labels) {
    EXPECT_EQ(name, "gr oup");
    EXPECT_TRUE(watch::IsPrintable(value) && !value.contains('\n')) << value;
  }
}

TEST(AlertAnswer, ALongTextIsCutBetweenCharacters) {
  const std::string longest(kMaxAlertTextBytes, 'x');
  EXPECT_EQ(OneLine(longest), longest);
  EXPECT_EQ(OneLine(longest + "y"), longest + "…");
  std::string umlauts;
  while (umlauts.size() <= kMaxAlertTextBytes) umlauts += "aäö€";
  for (int shift = 0; shift < 4; ++shift) {
    const std::string cut = OneLine(std::string(static_cast<size_t>(shift), '-') + umlauts);
    EXPECT_TRUE(cut.ends_with("…"));
    EXPECT_FALSE(cut.contains('\\')) << cut;
  }
}

TEST(AlertAnswer, AlertsPastTheLimitAreCounted) {
  auto answer = [](size_t count) {
    std::string alerts;
    for (size_t i = 0; i < count; ++i) alerts += (i == 0 ? "" : ",") + AlertNamed("A");
    return ReadAlertAnswer(AnswerWith(alerts)).value();
  };
  EXPECT_EQ(answer(kMaxAlertsOfDataCenter).left_out, 0u);
  AlertAnswer more = answer(kMaxAlertsOfDataCenter + 3);
  EXPECT_EQ(more.alerts.size(), kMaxAlertsOfDataCenter);
  EXPECT_EQ(more.left_out, 3u);
}

TEST(AlertAnswer, AnAlertWithTooManyLabelsIsRefused) {
  auto with = [](size_t count) {
    std::string labels = R"("alertname":"A")";
    for (size_t i = 1; i < count; ++i) labels += fmt::format(R"(,"l{}":"x")", i);
    return AnswerWith(fmt::format(
        R"({{"labels":{{{}}},"annotations":{{}},"state":"firing","activeAt":"2026-11-30T13:36:09Z"}})",
        labels));
  };
  EXPECT_EQ(ErrorOf(with(kMaxAlertLabels)), "");
  EXPECT_THAT(ErrorOf(with(kMaxAlertLabels + 1)), HasSubstr("more than 64 labels"));
}

TEST(AlertAnswer, NoTruncatedAnswerIsTakenForAWholeOne) {
  const std::string whole = Recorded();
  const size_t end = whole.find_last_of('}');
  for (size_t size = 0; size < end; size += 7) {
    EXPECT_FALSE(ReadAlertAnswer(whole.substr(0, size))) << size;
  }
}

}  // namespace
}  // namespace meridian::cli
