#include "watch/log/overlap.hpp"

#include <chrono>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "watch/log/limits.hpp"

namespace meridian::watch {
namespace {

LogEntry Entry(std::string text, int at = 1) {
  LogEntry entry{.origin = {.dc = "us-east", .tier = "edge"}, .text = std::move(text)};
  entry.time = LogTime{std::chrono::seconds{at}};
  entry.arrival = entry.time + std::chrono::milliseconds{30};
  return entry;
}

TEST(Overlap, AnEntryIsTakenAsOftenAsItWasAdded) {
  Overlap overlap;
  EXPECT_TRUE(overlap.Add(17));
  EXPECT_TRUE(overlap.Add(17));
  EXPECT_FALSE(overlap.Take(18));
  EXPECT_TRUE(overlap.Take(17));
  EXPECT_TRUE(overlap.Take(17));
  EXPECT_FALSE(overlap.Take(17));
  EXPECT_EQ(overlap.size(), 0U);
}

TEST(Overlap, AfterAClearNothingIsTaken) {
  Overlap overlap;
  EXPECT_TRUE(overlap.Add(17));
  overlap.Clear();
  EXPECT_FALSE(overlap.Take(17));
}

TEST(Overlap, PastItsLimitNothingIsAdded) {
  Overlap overlap;
  for (size_t i = 0; i < kMaxOverlapEntries; ++i) ASSERT_TRUE(overlap.Add(i));
  EXPECT_FALSE(overlap.Add(0));
}

TEST(Overlap, AnEntryThatComesAgainHasTheSameHash) {
  LogEntry again = Entry("ready");
  again.arrival += std::chrono::hours{1};
  again.sequence = 17;
  EXPECT_EQ(EntryHash(again), EntryHash(Entry("ready")));
  EXPECT_EQ(LineHash(again), LineHash(Entry("ready")));
}

TEST(Overlap, OtherEntriesHaveOthers) {
  LogEntry other_tier = Entry("ready");
  other_tier.origin.tier = "dns";
  for (const LogEntry& other : {Entry("ready", 2), Entry("steady"), other_tier}) {
    EXPECT_NE(EntryHash(other), EntryHash(Entry("ready")));
    EXPECT_NE(LineHash(other), LineHash(Entry("ready")));
  }
}

TEST(Overlap, ALineWithoutATimeIsKnownByItsText) {
  LogEntry first = Entry("terminate called");
  first.arrival = first.time;
  LogEntry again = Entry("terminate called", 5);
  again.arrival = again.time;
  EXPECT_EQ(LineHash(first), LineHash(again));
  EXPECT_NE(EntryHash(first), EntryHash(again));
}

}  // namespace
}  // namespace meridian::watch
