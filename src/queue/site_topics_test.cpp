#include "queue/site_topics.hpp"

#include <chrono>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "queue/limits.hpp"

namespace meridian::queue {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

const site::Worker kThumbnail{.name = "thumbnail", .topic = "uploads", .retries = 2};

TEST(SiteTopics, DelaysGrowUpToTheLongest) {
  EXPECT_EQ(RetryDelay(1), seconds{10});
  EXPECT_EQ(RetryDelay(2), seconds{30});
  EXPECT_EQ(RetryDelay(3), seconds{90});
  EXPECT_EQ(RetryDelay(7), seconds{7290});
  EXPECT_EQ(RetryDelay(8), hours{6});
  EXPECT_EQ(RetryDelay(10), hours{6});
}

TEST(SiteTopics, RetryTopicsAndDeadLettersAreNamedAfterTopicAndWorker) {
  EXPECT_THAT(RetryTopics(kThumbnail),
              ElementsAre("uploads.thumbnail.retry.1", "uploads.thumbnail.retry.2"));
  EXPECT_EQ(DeadLetterTopic(kThumbnail), "uploads.thumbnail.dead-letter");
  EXPECT_THAT(WorkerVariables({kThumbnail, {.name = "mail", .topic = "uploads"}}),
              ElementsAre(Pair("thumbnail", ElementsAre(Pair("MERIDIAN_RETRY_TOPICS",
                                                             "uploads.thumbnail.retry.1,"
                                                             "uploads.thumbnail.retry.2"),
                                                        Pair("MERIDIAN_DEAD_LETTER_TOPIC",
                                                             "uploads.thumbnail.dead-letter")))));
}

TEST(SiteTopics, AWorkerWithoutRetriesHasItsTopicAlone) {
  EXPECT_THAT(TopicsOfSite({}, {{.name = "mail", .topic = "orders"}, {.name = "cron"}}),
              ElementsAre(DeclaredTopic{.name = "orders"}));
}

TEST(SiteTopics, TopicsForRetriesHaveThePartitionsOfTheTopicAndGrowingDelays) {
  Config config;
  config.topics = {{.name = "uploads", .partitions = 6}};
  EXPECT_THAT(TopicsOfSite(config, {kThumbnail}),
              ElementsAre(DeclaredTopic{.name = "uploads", .partitions = 6},
                          DeclaredTopic{.name = "uploads.thumbnail.dead-letter",
                                        .partitions = 6,
                                        .overrides = {{"retention.ms", "3369600000"}}},
                          DeclaredTopic{.name = "uploads.thumbnail.retry.1",
                                        .partitions = 6,
                                        .overrides = {{"meridian.delay.ms", "10000"},
                                                      {"retention.ms", "1382400000"}}},
                          DeclaredTopic{.name = "uploads.thumbnail.retry.2",
                                        .partitions = 6,
                                        .overrides = {{"meridian.delay.ms", "30000"},
                                                      {"retention.ms", "1382400000"}}}));
}

TEST(SiteTopics, ARetriedMessageStaysThoughItIsAsOldAsItsTopicAllows) {
  Config config;
  config.topics = {{.name = "uploads", .overrides = {{"retention.ms", "3600000"}}}};
  for (const DeclaredTopic& topic : TopicsOfSite(config, {kThumbnail})) {
    auto keys = ParseTopicConfig(topic.overrides);
    ASSERT_TRUE(keys);
    if (topic.name != "uploads") EXPECT_GE(keys->retention_ms, 2 * 3600000) << topic.name;
  }
}

TEST(SiteTopics, AllDelaysTogetherAreWithinTheTimeThatRetentionAllowsForThem) {
  Duration all{};
  for (uint32_t number = 1; number <= 10; ++number) all += RetryDelay(number);
  EXPECT_LT(all, kMaxRetryTime);
}

TEST(SiteTopics, WhatTheFileSaysOfARetryTopicGoesFirst) {
  Config config;
  config.topics = {{.name = "uploads.thumbnail.retry.1",
                    .overrides = {{"meridian.delay.ms", "1000"}, {"retention.ms", "60000"}}}};
  const auto topics = TopicsOfSite(config, {kThumbnail});
  EXPECT_EQ(
      topics[2],
      (DeclaredTopic{.name = "uploads.thumbnail.retry.1",
                     .overrides = {{"meridian.delay.ms", "1000"}, {"retention.ms", "60000"}}}));
}

TEST(SiteTopics, TwoWorkersOfATopicHaveRetryTopicsOfTheirOwn) {
  auto topics = TopicsOfSite(
      {}, {{.name = "a", .topic = "t", .retries = 1}, {.name = "b", .topic = "t", .retries = 1}});
  std::vector<std::string> names;
  for (const DeclaredTopic& topic : topics) names.push_back(topic.name);
  EXPECT_THAT(names,
              ElementsAre("t", "t.a.dead-letter", "t.a.retry.1", "t.b.dead-letter", "t.b.retry.1"));
}

}  // namespace
}  // namespace meridian::queue
