#include "queue/config.hpp"

#include <expected>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "queue/queue.hpp"
#include "site/load/load.hpp"

namespace meridian::queue {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

constexpr const char* kSite = R"(domain = "photos.example"
[[datacenter]]
name = "us-east"
address = "127.1.0.1"
location = "Ashburn"
[app]
command = ["true"]
)";

std::expected<site::Site, site::Diagnostics> Parse(const std::string& text) {
  std::vector<site::TierDescription> tiers = {Describe()};
  return site::Parse({.text = kSite + text, .file = "/srv/photos/site.toml"}, tiers);
}

std::vector<DeclaredTopic> TopicsOf(const std::string& text) {
  auto site = Parse(text);
  EXPECT_TRUE(site) << site.error().Render();
  return site ? site->sections.Get<Config>().topics : std::vector<DeclaredTopic>{};
}

std::string ErrorsOf(const std::string& text) {
  auto site = Parse(text);
  return site ? "no errors" : site.error().Render();
}

constexpr const char* kWorker = "[worker.thumbnail]\ncommand = [\"true\"]\ntopic = \"uploads\"\n";

TEST(QueueConfig, ATopicWithoutKeysSetsNothing) {
  auto topics = TopicsOf("[queue.topic.uploads]\n");
  ASSERT_EQ(topics.size(), 1u);
  EXPECT_EQ(topics[0], (DeclaredTopic{.name = "uploads"}));
}

TEST(QueueConfig, KeysOfATopicAreKafkasKeys) {
  auto topics = TopicsOf(R"([queue.topic."orders.eu"]
partitions = 6
retention = "2d"
retention_size = "3MiB"
compact = true
delay = "90s"
)");
  ASSERT_EQ(topics.size(), 1u);
  EXPECT_EQ(topics[0].name, "orders.eu");
  EXPECT_EQ(topics[0].partitions, 6u);
  EXPECT_THAT(
      topics[0].overrides,
      ElementsAre(Pair("cleanup.policy", "compact,delete"), Pair("meridian.delay.ms", "90000"),
                  Pair("retention.bytes", "3145728"), Pair("retention.ms", "172800000")));
  EXPECT_TRUE(ParseTopicConfig(topics[0].overrides));
}

TEST(QueueConfig, CompactionAloneKeepsTheLastMessageOfEachKeyForEver) {
  EXPECT_THAT(TopicsOf("[queue.topic.a]\ncompact = true\n")[0].overrides,
              ElementsAre(Pair("cleanup.policy", "compact")));
  EXPECT_THAT(TopicsOf("[queue.topic.a]\ncompact = false\n")[0].overrides,
              ElementsAre(Pair("cleanup.policy", "delete")));
}

TEST(QueueConfig, ValuesOfATopicPastTheirLimitsAreErrors) {
  auto with = [](const std::string& key) { return ErrorsOf("[queue.topic.a]\n" + key + "\n"); };
  EXPECT_EQ(with("partitions = 1000"), "no errors");
  EXPECT_THAT(with("partitions = 1001"), HasSubstr("an integer from 1 to 1000, not 1001"));
  EXPECT_THAT(with("partitions = 0"), HasSubstr("an integer from 1 to 1000, not 0"));
  EXPECT_EQ(with("delay = \"30d\""), "no errors");
  EXPECT_THAT(with("delay = \"31d\""), HasSubstr("a duration from \"0s\" to \"30d\""));
  EXPECT_THAT(with("retention = \"59s\""), HasSubstr("\"retention\" must be a duration"));
  EXPECT_THAT(with("retention_size = \"1KiB\""), HasSubstr("\"retention_size\" must be a size"));
  EXPECT_THAT(with("partition = 3"), HasSubstr("did you mean \"partitions\"?"));
}

constexpr const char* kMorePlaces = R"([[datacenter]]
name = "us-west"
address = "127.2.0.1"
location = "San Jose"
[[edge_place]]
name = "london"
address = "127.9.0.1"
location = "London"
)";

TEST(QueueConfig, ATopicHasAHomeAndCopiesInOtherDataCenters) {
  auto topics =
      TopicsOf(kMorePlaces + std::string("[queue.topic.a]\nhome = \"us-west\"\ncopies = 1\n"));
  ASSERT_EQ(topics.size(), 1u);
  EXPECT_EQ(topics[0].home, "us-west");
  EXPECT_THAT(topics[0].overrides, ElementsAre(Pair("meridian.sync.datacenters", "1")));
  EXPECT_TRUE(ParseTopicConfig(topics[0].overrides));
}

TEST(QueueConfig, AHomeIsADataCenterWithAQueueAndCopiesHaveRoom) {
  auto with = [](const std::string& key) {
    return ErrorsOf(kMorePlaces + ("[queue.topic.a]\n" + key + "\n"));
  };
  EXPECT_EQ(with("home = \"us-wes\""),
            "site.toml:17:8: the site has no data center \"us-wes\"\n"
            "   17 | home = \"us-wes\"\n"
            "      |        ^^^^^^^^ did you mean \"us-west\"?\n"
            "site.toml: 1 error\n");
  EXPECT_THAT(with("home = \"london\""),
              HasSubstr("17:8: \"london\" is an edge place, which has no queue"));
  EXPECT_EQ(with("copies = 0"), "no errors");
  EXPECT_EQ(with("copies = 1"), "no errors");
  EXPECT_THAT(with("copies = 2"), HasSubstr("17:10: 2 copies in other data centers are asked for, "
                                            "and the site has 1 other with a queue"));
  EXPECT_THAT(with("copies = 17"), HasSubstr("an integer from 0 to 16, not 17"));
}

TEST(QueueConfig, AnErrorOfATopicsNameShowsItsPlace) {
  EXPECT_EQ(ErrorsOf("[queue.topic.\"up loads\"]\n"),
            "site.toml:8:14: \"up loads\" cannot name a topic: a topic's name has only letters, "
            "digits, '.', '_' and '-'\n"
            "    8 | [queue.topic.\"up loads\"]\n"
            "      |              ^^^^^^^^^^\n"
            "site.toml: 1 error\n");
  EXPECT_THAT(ErrorsOf("[queue.topic]\nuploads = 3\n"),
              HasSubstr("\"uploads\" must be a table, [queue.topic.uploads], not an integer"));
}

TEST(QueueConfig, AWorkerNeedsAQueueForItsTopic) {
  EXPECT_EQ(ErrorsOf(std::string("[queue]\n") + kWorker), "no errors");
  EXPECT_EQ(ErrorsOf(kWorker),
            "site.toml:10:9: worker \"thumbnail\" consumes a topic, but the site has no queue\n"
            "   10 | topic = \"uploads\"\n"
            "      |         ^^^^^^^^^ add the table [queue]\n"
            "site.toml: 1 error\n");
  EXPECT_EQ(ErrorsOf(std::string("[queue]\nexternal = \"kafka://k1:9092\"\n") + kWorker),
            "no errors");
}

TEST(QueueConfig, WithoutAutoCreateAWorkersTopicMustBeDeclared) {
  const std::string off = std::string("[queue]\nauto_create = false\n") + kWorker;
  EXPECT_EQ(ErrorsOf(off + "[queue.topic.uploads]\n"), "no errors");
  EXPECT_THAT(ErrorsOf(off + "[queue.topic.upload]\n"), HasSubstr("did you mean \"upload\"?"));
  EXPECT_THAT(ErrorsOf(off), HasSubstr("declare it: [queue.topic.uploads]"));
}

TEST(QueueConfig, AWorkersTopicHasTheNameOfATopic) {
  EXPECT_THAT(ErrorsOf("[queue]\n[worker.a]\ncommand = [\"true\"]\ntopic = \"up loads\"\n"),
              HasSubstr("\"up loads\" cannot name a topic"));
  auto with = [](size_t size) {
    return ErrorsOf("[queue]\n[worker.a]\ncommand = [\"true\"]\nretries = 1\ntopic = \"" +
                    std::string(size, 'x') + "\"\n");
  };
  const size_t longest = kMaxTopicNameBytes - std::string(".a.dead-letter").size();
  EXPECT_EQ(with(longest), "no errors");
  EXPECT_THAT(with(longest + 1), HasSubstr("more than 249 characters"));
}

TEST(QueueConfig, TopicsUpToTheLimitAndNotOneMore) {
  auto with = [](size_t count) {
    std::string text;
    for (size_t i = 0; i < count; ++i) text += "[queue.topic.t" + std::to_string(i) + "]\n";
    return ErrorsOf(text);
  };
  EXPECT_EQ(with(kMaxDeclaredTopics), "no errors");
  EXPECT_THAT(with(kMaxDeclaredTopics + 1), HasSubstr("at most 1000 are allowed"));
}

}  // namespace
}  // namespace meridian::queue
