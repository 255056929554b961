#include "cli/alerts/alert_list.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/alerts/alert_answer.hpp"

namespace meridian::cli {
namespace {

using testing::ElementsAre;

struct Told {
  std::string name;
  std::string scope = "dc";
  std::string severity = "ticket";
  bool firing = true;
  int64_t since_ms = 1000;
  std::map<std::string, std::string> labels = {};
};

Alert AlertOf(Told told) {
  Alert alert{.name = told.name,
              .firing = told.firing,
              .since_ms = told.since_ms,
              .labels = std::move(told.labels),
              .annotations = {}};
  alert.labels["scope"] = told.scope;
  alert.labels["severity"] = told.severity;
  return alert;
}

AlertAnswer AnswerOf(std::vector<Told> all) {
  AlertAnswer answer;
  for (Told& each : all) answer.alerts.push_back(AlertOf(std::move(each)));
  return answer;
}

std::vector<std::string> NamesOf(const AlertList& list) {
  std::vector<std::string> names;
  for (const ListedAlert& each : list.Sorted()) names.push_back(each.alert.name);
  return names;
}

TEST(AlertList, AnAlertOfTheWholeSiteIsThereOnceWithAllWhoSeeIt) {
  AlertList list;
  for (const char* seer : {"us-west", "eu"}) {
    list.Add(seer, AnswerOf({{.name = "DataCenterDown",
                              .scope = "site",
                              .labels = {{"dc", seer}, {"datacenter", "us-east"}}}}));
  }
  auto sorted = list.Sorted();
  ASSERT_EQ(sorted.size(), 1u);
  EXPECT_THAT(sorted[0].seen_by, ElementsAre("us-west", "eu"));
}

TEST(AlertList, AlertsOfDifferentSubjectsAndOfDataCentersStayApart) {
  AlertList list;
  list.Add("us-west", AnswerOf({{.name = "DataCenterDown",
                                 .scope = "site",
                                 .labels = {{"dc", "us-west"}, {"datacenter", "us-east"}}},
                                {.name = "MemoryShort", .labels = {{"dc", "us-west"}}}}));
  list.Add("us-east", AnswerOf({{.name = "DataCenterDown",
                                 .scope = "site",
                                 .labels = {{"dc", "us-east"}, {"datacenter", "us-west"}}},
                                {.name = "MemoryShort", .labels = {{"dc", "us-east"}}},
                                // The application's own rules may have no labels at all.
                                {.name = "MemoryShort"}}));
  EXPECT_EQ(list.Sorted().size(), 5u);
}

TEST(AlertList, IfOneDataCenterFiresWhatIsPendingInAnotherItFires) {
  AlertList list;
  list.Add("us-west", AnswerOf({{.name = "A", .scope = "site", .firing = false, .since_ms = 5}}));
  EXPECT_FALSE(list.firing());
  list.Add("eu", AnswerOf({{.name = "A", .scope = "site", .firing = true, .since_ms = 9}}));
  EXPECT_TRUE(list.firing());
  auto sorted = list.Sorted();
  ASSERT_EQ(sorted.size(), 1u);
  EXPECT_TRUE(sorted[0].alert.firing);
  EXPECT_EQ(sorted[0].alert.since_ms, 9);
  EXPECT_THAT(sorted[0].seen_by, ElementsAre("us-west", "eu"));
}

TEST(AlertList, AnAlertOfTheSiteIsSilencedIfAllWhoSeeItSilenceIt) {
  for (const bool west_silences : {false, true}) {
    AlertList list;
    for (const char* seer : {"us-west", "eu"}) {
      AlertAnswer answer = AnswerOf({{.name = "A", .scope = "site"}});
      answer.alerts[0].silenced = west_silences || std::string(seer) == "eu";
      list.Add(seer, std::move(answer));
    }
    ASSERT_EQ(list.Sorted().size(), 1u);
    EXPECT_EQ(list.Sorted()[0].alert.silenced, west_silences);
  }
}

TEST(AlertList, TheUrgentOnesComeFirstAndTheOldestOfThem) {
  AlertList list;
  list.Add("us-west", AnswerOf({{.name = "pending", .severity = "page", .firing = false},
                                {.name = "own", .severity = ""},
                                {.name = "ticket"},
                                {.name = "new page", .severity = "page", .since_ms = 2000},
                                {.name = "old page", .severity = "page", .since_ms = 1000}}));
  EXPECT_THAT(NamesOf(list), ElementsAre("old page", "new page", "ticket", "own", "pending"));
}

TEST(AlertList, AlertsThatWereLeftOutAreAGap) {
  AlertList list;
  list.Add("us-west", {.alerts = {}, .left_out = 3});
  list.AddGap("us-east", "its agent does not answer");
  ASSERT_EQ(list.gaps().size(), 2u);
  EXPECT_EQ(list.gaps()[0].data_center, "us-west");
  EXPECT_THAT(list.gaps()[0].problem, testing::HasSubstr("3 more"));
  EXPECT_EQ(list.gaps()[1].problem, "its agent does not answer");
  EXPECT_FALSE(list.firing());
}

}  // namespace
}  // namespace meridian::cli
