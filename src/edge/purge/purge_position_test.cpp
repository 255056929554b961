#include "edge/purge/purge_position.hpp"

#include <gtest/gtest.h>

namespace meridian::edge {
namespace {

using site::PurgeEntry;
using site::PurgePollAnswer;

PurgeEntry Entry(uint64_t number) { return {.number = number, .order = {.value = "/a"}}; }

// The position of an edge that has followed journal 7 up to number 3.
PurgePosition Followed() {
  PurgePosition position("us-east");
  (void)position.OnNews({.journal = 7, .oldest = 1, .newest = 3});
  return position;
}

TEST(PurgePositionTest, FirstNewsOfAJournalDropsWhatMayPredateItsOrders) {
  PurgePosition position("us-east");
  EXPECT_FALSE(position.started());
  auto step = position.OnNews(
      {.journal = 7, .oldest = 1, .newest = 3, .entries = {Entry(1), Entry(2), Entry(3)}});
  EXPECT_TRUE(step.drop_all);
  EXPECT_TRUE(step.apply.empty());
  EXPECT_TRUE(position.started());
  EXPECT_EQ(position.poll(), (site::PurgePoll{.edge = "us-east", .journal = 7, .after = 3}));
}

TEST(PurgePositionTest, NewsAreAppliedAndReportedWithTheNextPoll) {
  PurgePosition position = Followed();
  auto step =
      position.OnNews({.journal = 7, .oldest = 1, .newest = 5, .entries = {Entry(4), Entry(5)}});
  EXPECT_FALSE(step.drop_all);
  ASSERT_EQ(step.apply.size(), 2U);
  position.OnApplied(4, 10);
  position.OnApplied(5, 0);
  EXPECT_EQ(
      position.poll(),
      (site::PurgePoll{.edge = "us-east", .journal = 7, .after = 5, .applied = {{4, 10}, {5, 0}}}));
  // Reported once.
  EXPECT_TRUE(position.OnNews({.journal = 7, .newest = 5}).apply.empty());
  EXPECT_TRUE(position.poll().applied.empty());
}

TEST(PurgePositionTest, PartOfTheNewsIsFollowedByTheRest) {
  PurgePosition position = Followed();
  (void)position.OnNews({.journal = 7, .newest = 6, .entries = {Entry(4)}});
  EXPECT_EQ(position.poll().after, 4U);
  auto step = position.OnNews({.journal = 7, .newest = 6, .entries = {Entry(5), Entry(6)}});
  EXPECT_FALSE(step.drop_all);
  EXPECT_EQ(position.poll().after, 6U);
}

TEST(PurgePositionTest, NothingIsLostWhileTheJournalReachesBack) {
  PurgePosition position = Followed();
  EXPECT_FALSE(
      position.OnNews({.journal = 7, .oldest = 4, .newest = 4, .entries = {Entry(4)}}).drop_all);
}

TEST(PurgePositionTest, AJournalThatNoLongerReachesBackDropsAll) {
  PurgePosition position = Followed();
  auto step =
      position.OnNews({.journal = 7, .oldest = 5, .newest = 6, .entries = {Entry(5), Entry(6)}});
  EXPECT_TRUE(step.drop_all);
  EXPECT_TRUE(step.apply.empty());
  EXPECT_EQ(position.poll().after, 6U);
}

TEST(PurgePositionTest, AnotherJournalDropsAll) {
  PurgePosition position = Followed();
  EXPECT_TRUE(position.OnNews({.journal = 8, .oldest = 1, .newest = 9}).drop_all);
  EXPECT_EQ(position.poll().journal, 8U);
  EXPECT_EQ(position.poll().after, 9U);
}

TEST(PurgePositionTest, AJournalThatWentBackDropsAll) {
  PurgePosition position = Followed();
  EXPECT_TRUE(position.OnNews({.journal = 7, .oldest = 1, .newest = 2}).drop_all);
}

TEST(PurgePositionTest, EntriesThatAreNotTheNextOnesDropAll) {
  PurgePosition position = Followed();
  EXPECT_TRUE(
      position.OnNews({.journal = 7, .oldest = 1, .newest = 6, .entries = {Entry(6)}}).drop_all);
}

}  // namespace
}  // namespace meridian::edge
