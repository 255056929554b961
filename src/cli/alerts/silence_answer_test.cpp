#include "cli/alerts/silence_answer.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/alerts/alert_answer.hpp"
#include "cli/alerts/limits.hpp"
#include "io/file/file.hpp"
#include "watch/log/lines/printable.hpp"
#include "wire/json/value.hpp"

namespace meridian::cli {
namespace {

using testing::HasSubstr;

constexpr std::string_view kByName =
    R"({"name":"alertname","value":"DiskAlmostFull","isRegex":false,"isEqual":true})";

std::string SilenceWith(std::string_view matchers, std::string_view state = "active") {
  return fmt::format(
      R"({{"id":"5f3a-9","status":{{"state":"{}"}},"updatedAt":"2026-11-30T13:00:00.000Z",)"
      R"("comment":"a new disk","createdBy":"anne","startsAt":"2026-11-30T13:00:00.000Z",)"
      R"("endsAt":"2026-11-30T15:00:00.000Z","matchers":[{}]}})",
      state, matchers);
}

std::string ErrorOf(const std::string& json) {
  auto read = ReadSilences(json);
  return read ? "" : read.error().message;
}

// As Alertmanager 0.25 answers.
std::string AlertmanagerAlerts(std::string_view name, std::string_view silenced_by) {
  return fmt::format(
      R"([{{"annotations":{{}},"endsAt":"2026-11-30T13:40:00.000Z","fingerprint":"1",)"
      R"("receivers":[{{"name":"notices"}}],"startsAt":"2026-11-30T13:36:09.676Z",)"
      R"("status":{{"inhibitedBy":[],"silencedBy":[{}],"state":"suppressed"}},)"
      R"("updatedAt":"2026-11-30T13:36:10.000Z","labels":{{"alertname":"{}","scope":"site",)"
      R"("datacenter":"us-east","dc":"us-west","severity":"page","site":"photos"}}}}])",
      silenced_by, name);
}

AlertAnswer Recorded() {
  const std::string json =
      io::ReadFile(MERIDIAN_TESTDATA "/prometheus_alerts.json", kMaxAlertAnswerBytes).value();
  return ReadAlertAnswer(json).value();
}

TEST(SilenceAnswer, ASilenceOfOneNameIsThatOfAnAlert) {
  auto read = ReadSilences("[" + SilenceWith(kByName) + "]");
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->size(), 1u);
  const Silence& silence = read->front();
  EXPECT_EQ(silence.id, "5f3a-9");
  EXPECT_EQ(silence.alert, "DiskAlmostFull");
  EXPECT_EQ(silence.matchers, "alertname=\"DiskAlmostFull\"");
  EXPECT_EQ(silence.comment, "a new disk");
  EXPECT_EQ(silence.created_by, "anne");
  EXPECT_EQ(silence.starts_ms, 1'796'043'600'000);
  EXPECT_EQ(silence.ends_ms, silence.starts_ms + 2 * 3600 * 1000);
}

TEST(SilenceAnswer, ASilenceThatPeopleMadeElsewhereIsShownByItsMatchers) {
  auto matchers_of = [](std::string_view matchers) {
    auto read = ReadSilences("[" + SilenceWith(matchers, "pending") + "]").value();
    EXPECT_EQ(read.at(0).alert, "");
    return read.at(0).matchers;
  };
  EXPECT_EQ(matchers_of(R"({"name":"dc","value":"us-.*","isRegex":true,"isEqual":true})"),
            "dc=~\"us-.*\"");
  EXPECT_EQ(matchers_of(R"({"name":"alertname","value":"A","isRegex":false,"isEqual":false})"),
            "alertname!=\"A\"");
  EXPECT_EQ(matchers_of(R"({"name":"alertname","value":"A|B","isRegex":true,"isEqual":false})"),
            "alertname!~\"A|B\"");
  EXPECT_EQ(matchers_of(std::string(kByName) + R"(,{"name":"dc","value":"eu","isRegex":false})"),
            "alertname=\"DiskAlmostFull\", dc=\"eu\"");
}

TEST(SilenceAnswer, SilencesThatAreOverAreLeftOut) {
  auto read =
      ReadSilences("[" + SilenceWith(kByName, "expired") + "," + SilenceWith(kByName) + "]");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->size(), 1u);
  EXPECT_EQ(ReadSilences("[]").value().size(), 0u);
}

TEST(SilenceAnswer, AnythingElseIsRefusedWithTheReason) {
  EXPECT_NE(ErrorOf(""), "");
  EXPECT_THAT(ErrorOf("{}"), HasSubstr("no list of silences"));
  EXPECT_THAT(ErrorOf("[7]"), HasSubstr("no known state"));
  EXPECT_THAT(ErrorOf("[" + SilenceWith(kByName, "asleep") + "]"), HasSubstr("no known state"));
  EXPECT_THAT(ErrorOf("[" + SilenceWith("") + "]"), HasSubstr("no matchers"));
  EXPECT_THAT(ErrorOf("[" + SilenceWith("7") + "]"), HasSubstr("matcher"));
  EXPECT_THAT(ErrorOf(R"([{"status":{"state":"active"}}])"), HasSubstr("no id"));
  EXPECT_THAT(ErrorOf(R"([{"id":"1","status":{"state":"active"},"startsAt":"now"}])"),
              HasSubstr("a time"));
}

TEST(SilenceAnswer, MoreSilencesThanTheLimitAreNoAnswer) {
  auto of = [](size_t count) {
    std::string all = SilenceWith(kByName);
    for (size_t i = 1; i < count; ++i) all += "," + SilenceWith(kByName);
    return "[" + all + "]";
  };
  EXPECT_EQ(ErrorOf(of(kMaxSilences)), "");
  EXPECT_THAT(ErrorOf(of(kMaxSilences + 1)), HasSubstr("more than 1000"));
}

TEST(SilenceAnswer, WhatPeopleWroteIsSafeForATerminal) {
  auto read = ReadSilences(
      "[" + SilenceWith(R"({"name":"a\u001b[2J","value":"b\u0007\n","isRegex":true})") + "]");
  ASSERT_TRUE(read) << read.error().message;
  const std::string& text = read->front().matchers;
  EXPECT_TRUE(watch::IsPrintable(text) && !text.contains('\n')) << text;
}

TEST(SilenceAnswer, AnAlertIsMarkedThatItsAlertmanagerSilences) {
  AlertAnswer answer = Recorded();
  auto marked = MarkSilenced(AlertmanagerAlerts("DataCenterDown", R"("5f3a-9")"), &answer);
  ASSERT_TRUE(marked) << marked.error().message;
  EXPECT_TRUE(answer.alerts[0].silenced);
  EXPECT_FALSE(answer.alerts[1].silenced);
}

TEST(SilenceAnswer, WhatIsNotSilencedOrNotTheSameAlertIsNotMarked) {
  for (const std::string& json :
       {AlertmanagerAlerts("DataCenterDown", ""), AlertmanagerAlerts("VisitorsWait", R"("5f3a-9")"),
        std::string("[]")}) {
    AlertAnswer answer = Recorded();
    ASSERT_TRUE(MarkSilenced(json, &answer));
    EXPECT_FALSE(answer.alerts[0].silenced || answer.alerts[1].silenced) << json;
  }
}

TEST(SilenceAnswer, AnAnswerAboutAlertsThatIsNoneIsRefused) {
  AlertAnswer answer = Recorded();
  for (std::string_view wrong : {"", "{}", "[7]", R"([{"labels":7}])"}) {
    EXPECT_FALSE(MarkSilenced(wrong, &answer)) << wrong;
  }
}

TEST(SilenceAnswer, AnOrderIsForOneNameAndHasAnEnd) {
  auto json = wire::json::Parse(ToJson({.alert = "DiskAlmostFull",
                                        .comment = "a \"new\" disk",
                                        .starts_ms = 1'796'043'600'000,
                                        .ends_ms = 1'796'043'660'000}));
  ASSERT_TRUE(json) << json.error().message;
  ASSERT_EQ(json->ElementsOf("matchers").size(), 1u);
  const wire::json::Value& matcher = json->ElementsOf("matchers")[0];
  EXPECT_EQ(matcher.TextOf("name"), "alertname");
  EXPECT_EQ(matcher.TextOf("value"), "DiskAlmostFull");
  EXPECT_EQ(matcher.Find("isRegex")->boolean(), false);
  EXPECT_EQ(matcher.Find("isEqual")->boolean(), true);
  EXPECT_EQ(json->TextOf("startsAt"), "2026-11-30T13:00:00.000Z");
  EXPECT_EQ(json->TextOf("endsAt"), "2026-11-30T13:01:00.000Z");
  EXPECT_EQ(json->TextOf("comment"), "a \"new\" disk");
}

}  // namespace
}  // namespace meridian::cli
