#include "queue/state/topic_config.hpp"

#include <string>

#include <gtest/gtest.h>

#include "queue/state/limits.hpp"

namespace meridian::queue {
namespace {

std::string ProblemOf(const TopicOverrides& overrides) {
  auto config = ParseTopicConfig(overrides);
  return config ? "" : config.error().message;
}

TEST(TopicConfigTest, TopicWithoutOverridesHasTheDefaults) {
  auto config = ParseTopicConfig({}, {.retention_ms = 5});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->retention_ms, 5);
  EXPECT_TRUE(config->deletes);
  EXPECT_FALSE(config->compacts);
  EXPECT_EQ(config->max_message_bytes, 1048588);
}

TEST(TopicConfigTest, EveryKeyCanBeSetToTheValueThatIsReported) {
  TopicOverrides overrides;
  for (const ConfigKey& key : ConfigKeys()) {
    overrides[std::string(key.name)] = ConfigValue({}, key.name);
  }
  auto config = ParseTopicConfig(overrides);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(*config, TopicConfig{});
}

TEST(TopicConfigTest, OverridesReplaceDefaults) {
  auto config = ParseTopicConfig({{"cleanup.policy", "compact, delete"},
                                  {"message.timestamp.type", "LogAppendTime"},
                                  {"retention.ms", "-1"},
                                  {"meridian.delay.ms", "5000"}});
  ASSERT_TRUE(config);
  EXPECT_TRUE(config->compacts && config->deletes && config->append_time);
  EXPECT_EQ(config->retention_ms, -1);
  EXPECT_EQ(config->delay_ms, 5000);
  EXPECT_EQ(ConfigValue(*config, "cleanup.policy"), "compact,delete");
}

TEST(TopicConfigTest, MistakesAreNamed) {
  EXPECT_EQ(ProblemOf({{"retention", "1"}}), "there is no configuration key \"retention\"");
  EXPECT_EQ(ProblemOf({{"retention.ms", "a week"}}), "retention.ms: \"a week\" is not a number");
  EXPECT_EQ(ProblemOf({{"retention.ms", "99999999999999999999"}}),
            "retention.ms: \"99999999999999999999\" is not a number");
  EXPECT_EQ(ProblemOf({{"segment.bytes", "1"}}),
            "segment.bytes: 1 is not between 1048576 and 1073741824");
  EXPECT_EQ(ProblemOf({{"cleanup.policy", "compact,shrink"}}),
            "cleanup.policy: \"shrink\" is neither delete nor compact");
  EXPECT_EQ(ProblemOf({{"compression.type", "zstd"}}),
            "compression.type: only producer is supported, not \"zstd\"");
  EXPECT_EQ(ProblemOf({{"message.timestamp.type", "Never"}}),
            "message.timestamp.type: \"Never\" is neither CreateTime nor LogAppendTime");
  EXPECT_NE(ProblemOf({{"cleanup.policy", std::string(kMaxConfigValueBytes + 1, ',')}}), "");
  // Added to the time of a compaction, it must not overflow.
  EXPECT_EQ(ProblemOf({{"delete.retention.ms", "31536000000000"}}), "");
  EXPECT_EQ(ProblemOf({{"delete.retention.ms", "31536000000001"}}),
            "delete.retention.ms: 31536000000001 is not between 0 and 31536000000000");
  TopicOverrides many;
  for (size_t i = 0; i <= kMaxTopicOverrides; ++i) many[std::to_string(i)] = "";
  EXPECT_EQ(ProblemOf(many), "more than 64 configuration keys");
}

TEST(TopicNameTest, RulesAreThoseOfKafka) {
  EXPECT_TRUE(CheckTopicName("a"));
  EXPECT_TRUE(CheckTopicName("Orders.v1_eu-west"));
  EXPECT_TRUE(CheckTopicName(std::string(kMaxTopicNameBytes, 'x')));
  EXPECT_TRUE(CheckTopicName("..."));
  for (const char* wrong : {"", ".", "..", "a b", "a/b", "caf\xc3\xa9", "__consumer_offsets"}) {
    EXPECT_FALSE(CheckTopicName(wrong)) << wrong;
  }
  EXPECT_FALSE(CheckTopicName(std::string(kMaxTopicNameBytes + 1, 'x')));
}

}  // namespace
}  // namespace meridian::queue
