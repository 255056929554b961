#include "queue/topic_setup.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "queue/engine/engine_fixture.hpp"

namespace meridian::queue {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

class TopicSetupTest : public EngineTest {};

TEST(TopicSetup, AMissingTopicIsMade) {
  EXPECT_EQ(ChangeOf({.name = "a", .partitions = 3}, {}), (TopicChange{.create = true}));
}

TEST(TopicSetup, ATopicThatIsAsAskedDoesNotChange) {
  TopicDescription found{.name = "a", .partitions = 3, .overrides = {{"retention.ms", "5"}}};
  EXPECT_EQ(ChangeOf({.name = "a"}, found), TopicChange{});
  EXPECT_EQ(ChangeOf({.name = "a", .partitions = 3, .overrides = {{"retention.ms", "5"}}}, found),
            TopicChange{});
}

TEST(TopicSetup, KeysThatAreNotAskedForStay) {
  TopicDescription found{.name = "a", .overrides = {{"retention.ms", "5"}, {"segment.ms", "1000"}}};
  TopicChange change = ChangeOf({.name = "a", .overrides = {{"retention.ms", "7"}}}, found);
  ASSERT_TRUE(change.overrides);
  EXPECT_THAT(*change.overrides,
              ElementsAre(Pair("retention.ms", "7"), Pair("segment.ms", "1000")));
}

TEST(TopicSetup, FewerPartitionsThanThereAreIsAProblemAndMoreAreAdded) {
  TopicDescription found{.name = "a", .partitions = 3};
  EXPECT_EQ(ChangeOf({.name = "a", .partitions = 5}, found).partitions, 5u);
  TopicChange change = ChangeOf({.name = "a", .partitions = 2}, found);
  EXPECT_FALSE(change.partitions);
  EXPECT_THAT(change.problem, HasSubstr("topic a has 3 partitions, and site.toml says 2"));
}

TEST_F(TopicSetupTest, TopicsAreMadeThenExtendedAndConfiguredByALaterFile) {
  RunAndCrash([](Engine& engine, Machine&) -> Task<void> {
    TopicSetup setup(engine, {{.name = "a", .partitions = 2}, {.name = "b"}}, 4);
    co_await setup.Apply();
    EXPECT_EQ(setup.problem(), "");
    EXPECT_EQ(engine.FindTopic("a")->partitions, 2u);
    EXPECT_EQ(engine.FindTopic("b")->partitions, 4u);
  });
  Run([](Engine& engine, Machine&) -> Task<void> {
    EXPECT_EQ(engine.FindTopic("b")->partitions, 4u) << "what was made is durable";
    TopicSetup setup(engine,
                     {{.name = "a", .partitions = 3, .overrides = {{"meridian.delay.ms", "9"}}},
                      {.name = "b", .partitions = 1}},
                     4);
    co_await setup.Apply();
    EXPECT_EQ(engine.FindTopic("a")->partitions, 3u);
    EXPECT_EQ(engine.FindTopic("a")->config.delay_ms, 9);
    EXPECT_EQ(engine.FindTopic("b")->partitions, 4u);
    EXPECT_THAT(setup.problem(), HasSubstr("topic b has 4 partitions, and site.toml says 1"));
  });
}

TEST_F(TopicSetupTest, ATopicThatAFullDiskRefusedIsMadeOnceThereIsRoom) {
  options_.headroom_bytes = uint64_t{1} << 20;
  Run([this](Engine& engine, Machine& machine) -> Task<void> {
    FillDisk();
    while (engine.write_problem().empty()) {
      EXPECT_TRUE(co_await io::Sleep(seconds{1}));
    }
    TopicSetup setup(engine, {{.name = "a"}, {.name = "b"}, {.name = "c"}, {.name = "d"}}, 1);
    co_await setup.Apply();
    EXPECT_FALSE(engine.FindTopic("a"));
    EXPECT_THAT(setup.problem(), HasSubstr("topic a is not made"));
    EXPECT_THAT(setup.problem(), HasSubstr("1 more: see the log"));
    MakeRoom();
    while (!engine.write_problem().empty()) {
      EXPECT_TRUE(co_await io::Sleep(seconds{1}));
    }
    co_await setup.Apply();
    EXPECT_EQ(setup.problem(), "");
    EXPECT_TRUE(engine.FindTopic("d"));
    (void)machine;
  });
}

}  // namespace
}  // namespace meridian::queue
