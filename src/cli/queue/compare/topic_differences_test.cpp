#include "cli/queue/compare/topic_differences.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "queue/config.hpp"

namespace meridian::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const RunningTopic kUploads = {
    .partitions = 6,
    .home = "us-east",
    .configuration = {{"retention.ms", "3600000"}, {"cleanup.policy", "delete"}}};

TEST(TopicDifferences, TopicThatIsAsTheFileSaysHasNone) {
  EXPECT_THAT(TopicDifferences({{.name = "uploads",
                                 .partitions = 6,
                                 .overrides = {{"retention.ms", "3600000"}},
                                 .home = "us-east"}},
                               {{"uploads", kUploads}, {"made-by-a-client", {}}}),
              IsEmpty());
  // What the file does not name stays as it is.
  EXPECT_THAT(TopicDifferences({{.name = "uploads"}}, {{"uploads", kUploads}}), IsEmpty());
}

TEST(TopicDifferences, TopicThatDoesNotRunIsNamed) {
  EXPECT_THAT(TopicDifferences({{.name = "orders"}, {.name = "uploads"}}, {{"uploads", kUploads}}),
              ElementsAre("topic orders is in the file alone"));
}

TEST(TopicDifferences, BothNumbersOfPartitionsAreTold) {
  EXPECT_THAT(TopicDifferences({{.name = "uploads", .partitions = 8}}, {{"uploads", kUploads}}),
              ElementsAre("topic uploads has 6 partitions, the file says 8"));
  EXPECT_THAT(
      TopicDifferences({{.name = "uploads", .partitions = 4}}, {{"uploads", kUploads}}),
      ElementsAre("topic uploads has 6 partitions, the file says 4: partitions are never removed"));
}

TEST(TopicDifferences, EachKeyThatDiffersIsTold) {
  EXPECT_THAT(
      TopicDifferences({{.name = "uploads",
                         .overrides = {{"cleanup.policy", "compact"},
                                       {"meridian.sync.datacenters", "2"},
                                       {"retention.ms", "3600000"}}}},
                       {{"uploads", kUploads}}),
      ElementsAre("topic uploads has cleanup.policy = delete, the file says compact",
                  "topic uploads has no key meridian.sync.datacenters, the file sets it to 2"));
}

TEST(TopicDifferences, HomeElsewhereIsToldWithTheCommandThatMovesIt) {
  EXPECT_THAT(
      TopicDifferences({{.name = "uploads", .home = "us-west"}}, {{"uploads", kUploads}}),
      ElementsAre("the home of topic uploads is us-east, the file says us-west; to move it: "
                  "meridian queue promote uploads --to us-west"));
  RunningTopic elsewhere = kUploads;
  elsewhere.home = "";
  EXPECT_THAT(TopicDifferences({{.name = "uploads", .home = "us-west"}}, {{"uploads", elsewhere}}),
              IsEmpty());
}

}  // namespace
}  // namespace meridian::cli
