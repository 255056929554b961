#include "queue/topic_homes.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "queue/state/journal_record.hpp"
#include "queue/state/queue_state.hpp"

namespace meridian::queue {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr NodeId kEast = 1;
constexpr NodeId kWest = 2;

// The state of us-west, which follows the controller us-east.
class TopicHomesTest : public testing::Test {
 protected:
  TopicHomesTest() { MustApply(FormatRecord{.node = kWest}, kWest); }
  void Create(const std::string& name, uint32_t number) {
    MustApply(TopicRecord{.topic = FirstTopicNumber(kEast) + number,
                          .uuid = {number + 1, 1},
                          .name = name,
                          .partitions = 2,
                          .home = kEast},
              kEast);
  }
  void Move(const std::string& name, NodeId to, int32_t epoch) {
    TopicRecord record = state_.RecordOf(*state_.FindTopic(name));
    record.home = to;
    record.leader_epoch = epoch;
    record.at_home.resize(2);
    MustApply(record, to);
  }
  // Something was published at the home.
  void Publish(const std::string& name) {
    state_.FindPartition({state_.FindTopic(name)->number, 1})->source_end = 1;
  }
  void MustApply(const JournalRecord& record, NodeId author) {
    auto applied = state_.Apply(record, {.end_offset = ++end_, .author = author});
    ASSERT_TRUE(applied) << applied.error().message;
  }
  static std::vector<TopicHomes::Declared> West(const std::string& topic) {
    return {{.topic = topic, .home = kWest, .home_name = "us-west"}};
  }

  QueueState state_{{}, kWest, kEast};
  uint64_t end_ = 0;
};

TEST_F(TopicHomesTest, ANewTopicThatBelongsHereIsTakenOnce) {
  TopicHomes homes(state_, West("uploads"));
  EXPECT_THAT(homes.ToTake(), IsEmpty()) << "nobody has made it yet";
  Create("uploads", 0);
  Create("other", 1);
  EXPECT_THAT(homes.ToTake(), ElementsAre("uploads"));
  EXPECT_THAT(homes.ToTake(), ElementsAre("uploads")) << "it has not moved yet";
  Move("uploads", kWest, 1);
  EXPECT_THAT(homes.ToTake(), IsEmpty());
  // A promotion moves it away, and it stays there.
  Move("uploads", kEast, 2);
  EXPECT_THAT(homes.ToTake(), IsEmpty());
}

TEST_F(TopicHomesTest, ATopicWithMessagesStaysWhereItIs) {
  TopicHomes homes(state_, West("uploads"));
  Create("uploads", 0);
  Publish("uploads");
  EXPECT_THAT(homes.ToTake(), IsEmpty());
}

TEST_F(TopicHomesTest, ATopicThatWasThereBeforeThisStartStaysWhereItIs) {
  Create("uploads", 0);
  TopicHomes homes(state_, West("uploads"));
  EXPECT_THAT(homes.ToTake(), IsEmpty());
}

TEST_F(TopicHomesTest, ATopicThatWasPromotedElsewhereBeforeItWasSeenStaysThere) {
  TopicHomes homes(state_, West("uploads"));
  Create("uploads", 0);
  Move("uploads", 3, 1);
  EXPECT_THAT(homes.ToTake(), IsEmpty());
}

TEST_F(TopicHomesTest, ThePresentHomeSaysWhichCommandMovesATopicToWhereTheFileSays) {
  std::vector<TopicHomes::Declared> east = {
      {.topic = "uploads", .home = kEast, .home_name = "us-east"}};
  TopicHomes homes(state_, east);
  Create("uploads", 0);
  EXPECT_EQ(homes.problem(), "") << "it is where the file says";
  Move("uploads", kWest, 1);
  EXPECT_EQ(homes.problem(),
            "topic uploads has its home here, and site.toml says us-east; to move it: meridian "
            "queue promote uploads --to us-east");
  EXPECT_EQ(TopicHomes(state_, West("uploads")).problem(), "");
}

TEST_F(TopicHomesTest, OfManyProblemsAFewAreShown) {
  std::vector<TopicHomes::Declared> declared;
  for (uint32_t number = 0; number < 5; ++number) {
    const std::string name = "t" + std::to_string(number);
    Create(name, number);
    Move(name, kWest, 1);
    declared.push_back({.topic = name, .home = kEast, .home_name = "us-east"});
  }
  const std::string problem = TopicHomes(state_, declared).problem();
  EXPECT_THAT(problem, HasSubstr("topic t2 has its home here"));
  EXPECT_THAT(problem, Not(HasSubstr("topic t3")));
  EXPECT_THAT(problem, HasSubstr("2 more topics are not at home"));
}

}  // namespace
}  // namespace meridian::queue
