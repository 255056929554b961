#include "cli/alerts/alert_text.hpp"

#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "cli/alerts/alert_answer.hpp"
#include "cli/alerts/alert_list.hpp"
#include "cli/alerts/limits.hpp"
#include "io/file/file.hpp"
#include "wire/json/value.hpp"

namespace meridian::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

AlertAnswer Recorded() {
  const std::string json =
      io::ReadFile(MERIDIAN_TESTDATA "/prometheus_alerts.json", kMaxAlertAnswerBytes).value();
  return ReadAlertAnswer(json).value();
}

AlertList ListOfRecorded() {
  AlertList list;
  list.Add("us-west", Recorded());
  list.Add("eu", Recorded());
  list.AddGap("us-east", "its agent does not answer (refused)");
  return list;
}

// Four minutes after the alerts.
AlertTextOptions Options() {
  return {.now = WallTime(std::chrono::seconds{1'796'045'769 + 240}), .asked = {"us-west", "eu"}};
}

TEST(AlertText, EachAlertHasItsStateItsSummaryItsCauseAndItsRunbook) {
  AlertList list;
  list.Add("us-west", Recorded());
  EXPECT_EQ(AlertText(list, Options()),
            "firing  page    DataCenterDown  us-west, for 4m (since 2026-11-30T13:36:09.000Z)\n"
            "    us-east is down as seen from us-west: neither its agent nor its edge answers.\n"
            "    The machine, its network, or the link between the two is gone. Name servers send "
            "visitors elsewhere.\n"
            "    See docs/runbooks/DataCenterDown.md\n"
            "\n"
            "pending ticket  VisitorsWait  us-west, for 4m (since 2026-11-30T13:36:09.000Z)\n"
            "    One visitor in a hundred waits 1.75s or longer in us-west (limit: 1s).\n"
            "    The application is slow or its instances are full. Long polls and downloads count "
            "too.\n"
            "    See docs/runbooks/Latency.md\n");
}

TEST(AlertText, AllWhoSeeAnAlertOfTheSiteAreNamed) {
  EXPECT_THAT(AlertText(ListOfRecorded(), Options()),
              HasSubstr("DataCenterDown  us-west, eu, for"));
}

TEST(AlertText, WithoutAnAlertItSaysWhoWasAsked) {
  EXPECT_EQ(AlertText(AlertList(), Options()), "No alert fires or is pending in us-west, eu.\n");
  // Nobody answered: nothing is known.
  EXPECT_EQ(AlertText(AlertList(), {.now = Options().now}), "");
}

TEST(AlertText, AnAlertWithoutLabelsAndAnnotationsIsOneLine) {
  AlertList list;
  list.Add("eu", {.alerts = {{.name = "Own", .firing = true, .since_ms = 1'796'045'769'000}}});
  EXPECT_EQ(AlertText(list, Options()),
            "firing  -       Own  eu, for 4m (since 2026-11-30T13:36:09.000Z)\n");
}

TEST(AlertText, OfASilencedAlertItSaysSo) {
  AlertList list;
  list.Add("eu",
           {.alerts = {
                {.name = "Own", .firing = true, .silenced = true, .since_ms = 1'796'045'769'000}}});
  EXPECT_EQ(AlertText(list, Options()),
            "firing  -       Own  eu, for 4m (since 2026-11-30T13:36:09.000Z), silenced\n");
  auto json = wire::json::Parse(AlertJson(list));
  ASSERT_TRUE(json) << json.error().message;
  EXPECT_EQ(json->ElementsOf("alerts")[0].Find("silenced")->boolean(), true);
}

TEST(AlertText, AgesAreShortAndNeverNegative) {
  AlertList list;
  list.Add("eu", {.alerts = {{.name = "Own", .firing = true, .since_ms = 1'796'045'769'000}}});
  auto after = [&](int64_t seconds) {
    return AlertText(list, {.now = WallTime(std::chrono::seconds{1'796'045'769 + seconds})});
  };
  EXPECT_THAT(after(-7), HasSubstr(", for 0s ("));
  EXPECT_THAT(after(59), HasSubstr(", for 59s ("));
  EXPECT_THAT(after(3599), HasSubstr(", for 59m ("));
  EXPECT_THAT(after(86399), HasSubstr(", for 23h 59m ("));
  EXPECT_THAT(after(90000), HasSubstr(", for 1d 1h ("));
}

TEST(AlertText, ColoursAreForTerminals) {
  AlertTextOptions options = Options();
  EXPECT_THAT(AlertText(ListOfRecorded(), options), Not(HasSubstr("\x1b")));
  options.colours = true;
  const std::string text = AlertText(ListOfRecorded(), options);
  EXPECT_THAT(text, HasSubstr("\x1b[31mfiring  page  \x1b[0m"));
  EXPECT_THAT(text, HasSubstr("\x1b[2mpending ticket\x1b[0m"));
}

TEST(AlertText, AsJsonItHasLabelsAndWhoIsMissing) {
  auto json = wire::json::Parse(AlertJson(ListOfRecorded()));
  ASSERT_TRUE(json) << json.error().message;
  auto alerts = json->ElementsOf("alerts");
  // VisitorsWait is of each data center by itself.
  ASSERT_EQ(alerts.size(), 3u);
  EXPECT_EQ(alerts[0].TextOf("name"), "DataCenterDown");
  EXPECT_EQ(alerts[0].TextOf("state"), "firing");
  EXPECT_EQ(alerts[0].TextOf("severity"), "page");
  EXPECT_EQ(alerts[0].TextOf("scope"), "site");
  EXPECT_EQ(alerts[0].TextOf("since"), "2026-11-30T13:36:09.000Z");
  EXPECT_EQ(alerts[0].TextOf("runbook"), "docs/runbooks/DataCenterDown.md");
  EXPECT_EQ(alerts[0].ElementsOf("datacenters").size(), 2u);
  EXPECT_EQ(alerts[0].Find("labels")->TextOf("datacenter"), "us-east");
  EXPECT_EQ(alerts[1].TextOf("state"), "pending");
  auto missing = json->ElementsOf("missing");
  ASSERT_EQ(missing.size(), 1u);
  EXPECT_EQ(missing[0].TextOf("datacenter"), "us-east");
  EXPECT_EQ(missing[0].TextOf("problem"), "its agent does not answer (refused)");
}

}  // namespace
}  // namespace meridian::cli
