#include "cli/alerts/silence_text.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cli/alerts/silence_answer.hpp"
#include "wire/json/value.hpp"

namespace meridian::cli {
namespace {

std::vector<DataCenterSilences> Two() {
  const Silence by_name{.id = "1-a",
                        .alert = "DiskAlmostFull",
                        .matchers = "alertname=\"DiskAlmostFull\"",
                        .comment = "a new disk",
                        .created_by = "meridian",
                        .starts_ms = 1'796'043'600'000,
                        .ends_ms = 1'796'050'800'000};
  const Silence by_label{.id = "2-b",
                         .alert = "",
                         .matchers = "dc=~\"us-.*\"",
                         .comment = "move",
                         .created_by = "anne",
                         .starts_ms = 1'796'043'600'000,
                         .ends_ms = 1'796'050'800'000};
  return {{.data_center = "us-east", .silences = {by_name}},
          {.data_center = "us-west", .silences = {by_label}}};
}

TEST(SilenceText, ASilenceHasALineWithItsEndAndItsReason) {
  EXPECT_EQ(SilencesText(Two()),
            "data center  silenced        until                     by        comment\n"
            "us-east      DiskAlmostFull  2026-11-30T15:00:00.000Z  meridian  a new disk\n"
            "us-west      dc=~\"us-.*\"     2026-11-30T15:00:00.000Z  anne      move\n");
  EXPECT_EQ(SilencesText({{.data_center = "us-east", .silences = {}}}),
            "Nothing is silenced in us-east.\n");
  EXPECT_EQ(SilencesText({}), "");
}

TEST(SilenceText, AsJsonTheyHaveIdsAndWhoIsMissing) {
  auto json = wire::json::Parse(
      SilencesJson(Two(), {{.data_center = "eu", .problem = "its agent does not answer"}}));
  ASSERT_TRUE(json) << json.error().message;
  auto silences = json->ElementsOf("silences");
  ASSERT_EQ(silences.size(), 2u);
  EXPECT_EQ(silences[0].TextOf("datacenter"), "us-east");
  EXPECT_EQ(silences[0].TextOf("alert"), "DiskAlmostFull");
  EXPECT_EQ(silences[0].TextOf("id"), "1-a");
  EXPECT_EQ(silences[1].TextOf("matchers"), "dc=~\"us-.*\"");
  EXPECT_EQ(silences[1].TextOf("ends"), "2026-11-30T15:00:00.000Z");
  ASSERT_EQ(json->ElementsOf("missing").size(), 1u);
  EXPECT_EQ(json->ElementsOf("missing")[0].TextOf("datacenter"), "eu");
}

TEST(SilenceText, NamesAndIdsHaveNothingThatChangesAPath) {
  for (const char* name : {"DiskAlmostFull", "_own", "a1"}) EXPECT_TRUE(IsAlertName(name)) << name;
  for (const char* name : {"", "1a", "a-b", "a b", "a\"", "ä", "a/b"}) {
    EXPECT_FALSE(IsAlertName(name)) << name;
  }
  EXPECT_TRUE(IsSilenceId("f0d1a6f0-1c6e-4e4c-a8f8-5e1f3c0e6c1b"));
  for (const char* id : {"", "..", "a/b", "a?b", "a%2f", "a b"})
    EXPECT_FALSE(IsSilenceId(id)) << id;
  EXPECT_TRUE(IsAlertName(std::string(128, 'a')));
  EXPECT_FALSE(IsAlertName(std::string(129, 'a')));
  EXPECT_FALSE(IsSilenceId(std::string(129, 'a')));
}

}  // namespace
}  // namespace meridian::cli
