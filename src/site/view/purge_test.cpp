#include "site/view/purge.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "site/limits.hpp"

namespace meridian::site {
namespace {

using testing::HasSubstr;

const PurgeOrder kUrl{.kind = PurgeKind::kUrl, .value = "/images/sample.jpg"};
const PurgeOrder kTag{.kind = PurgeKind::kTag, .value = "images", .soft = true};

TEST(PurgeTest, MessagesSurviveTheWay) {
  EXPECT_EQ(ReadPurgeOrder(ToJson(kTag)), kTag);
  PurgeEntry entry{.number = 7, .order = kUrl};
  EXPECT_EQ(ReadPurgeEntry(ToJson(entry)), entry);
  PurgePoll poll{
      .edge = "us-east", .journal = 12, .after = 3, .applied = {{.number = 3, .objects = 40}}};
  EXPECT_EQ(ReadPurgePoll(ToJson(poll)), poll);
  PurgePollAnswer answer{.journal = 12,
                         .oldest = 2,
                         .newest = 5,
                         .entries = {{.number = 4, .order = kUrl}, {.number = 5, .order = kTag}}};
  EXPECT_EQ(ReadPurgePollAnswer(ToJson(answer)), answer);
  PurgeReport report{
      .number = 4,
      .edges = {{.name = "us-east", .objects = 2, .milliseconds = 3}, {.name = "us-west"}}};
  EXPECT_EQ(ReadPurgeReport(ToJson(report)), report);
  EXPECT_FALSE(report.complete());
  report.edges[1].objects = 0;
  EXPECT_TRUE(report.complete());
}

TEST(PurgeTest, UrlsArePathsOrOfHttp) {
  for (const char* good : {"/", "/a?b=c", "http://photos.example/a", "https://photos.example"}) {
    EXPECT_TRUE(CheckPurge({.value = good})) << good;
    EXPECT_TRUE(CheckPurge({.kind = PurgeKind::kPrefix, .value = good})) << good;
  }
  for (const char* bad : {"", "images", "ftp://a/b", "http://", "/a b", "/a\n", "/\x80", "*"}) {
    EXPECT_FALSE(CheckPurge({.value = bad})) << bad;
  }
}

TEST(PurgeTest, TagsAreOneWord) {
  EXPECT_TRUE(CheckPurge({.kind = PurgeKind::kTag, .value = "user:17/album"}));
  for (const char* bad : {"", "two words", "tab\t", "\x01"}) {
    EXPECT_FALSE(CheckPurge({.kind = PurgeKind::kTag, .value = bad})) << bad;
  }
}

TEST(PurgeTest, ValuesAreBounded) {
  PurgeOrder order{.value = "/" + std::string(kMaxPurgeValueBytes - 1, 'a')};
  EXPECT_EQ(ReadPurgeOrder(ToJson(order)), order);
  order.value += 'a';
  EXPECT_EQ(CheckPurge(order).error().code, Errc::kTooLarge);
  EXPECT_EQ(ReadPurgeOrder(ToJson(order)).error().code, Errc::kTooLarge);
}

TEST(PurgeTest, AnswersAreBounded) {
  PurgePollAnswer answer{.journal = 1, .newest = kMaxPurgesInAnswer};
  for (uint64_t i = 1; i <= kMaxPurgesInAnswer; ++i) {
    answer.entries.push_back(
        {.number = i, .order = {.value = "/" + std::string(kMaxPurgeValueBytes - 1, '"')}});
  }
  EXPECT_EQ(ReadPurgePollAnswer(ToJson(answer)), answer);
  answer.entries.push_back({.number = kMaxPurgesInAnswer + 1, .order = kUrl});
  EXPECT_EQ(ReadPurgePollAnswer(ToJson(answer)).error().code, Errc::kTooLarge);
}

TEST(PurgeTest, NumbersGrowByOne) {
  PurgePollAnswer answer{.journal = 1, .newest = 9, .entries = {{.number = 4, .order = kUrl}}};
  for (uint64_t next : {3U, 4U, 6U}) {
    PurgePollAnswer bad = answer;
    bad.entries.push_back({.number = next, .order = kTag});
    EXPECT_THAT(ReadPurgePollAnswer(ToJson(bad)).error().message, HasSubstr("grow by one")) << next;
  }
  EXPECT_FALSE(ReadPurgeEntry(ToJson(PurgeEntry{.number = 0, .order = kUrl})));
}

TEST(PurgeTest, MistakesAreNamed) {
  auto problem = [](const char* json) { return ReadPurgeOrder(json).error().message; };
  EXPECT_THAT(problem("[]"), HasSubstr("object"));
  EXPECT_THAT(problem("{}"), HasSubstr("purge.kind: missing"));
  EXPECT_THAT(problem(R"({"kind":"all","value":"/","soft":false})"), HasSubstr("url, prefix"));
  EXPECT_THAT(problem(R"({"kind":"url","value":"a","soft":false})"), HasSubstr("purge.value"));
  EXPECT_THAT(problem(R"({"kind":"url","value":"/a","soft":1})"), HasSubstr("purge.soft"));
}

}  // namespace
}  // namespace meridian::site
