#include "watch/log/remote/log_merge.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "base/result.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/log_fixture.hpp"
#include "watch/log/search/log_query.hpp"

namespace meridian::watch {
namespace {

constexpr uint64_t kAll = std::numeric_limits<uint64_t>::max();

LogEntry EntryAt(int64_t micros, uint64_t sequence) {
  LogEntry entry;
  entry.time = kLogStart + std::chrono::microseconds{micros};
  entry.sequence = sequence;
  return entry;
}

LogPage PageOf(std::vector<LogEntry> entries, bool more, LogOrder order) {
  LogPage page;
  page.entries = std::move(entries);
  if (more) {
    page.next = PositionOf(page.entries.back().time, page.entries.back().sequence, order);
  }
  return page;
}

// A data center that answers from its entries, as a store does.
LogPage Answer(const std::vector<LogEntry>& sorted, const LogQuery& query) {
  std::vector<LogEntry> found;
  for (const LogEntry& entry : sorted) {
    if (query.after && PositionOf(entry.time, entry.sequence, query.order) <= *query.after)
      continue;
    if (found.size() == query.limit) return PageOf(std::move(found), true, query.order);
    found.push_back(entry);
  }
  return PageOf(std::move(found), false, query.order);
}

using Place = std::tuple<int64_t, size_t, uint64_t>;  // rank, source, tie

std::vector<Place> PlacesOf(const std::vector<MergedEntry>& entries, LogOrder order) {
  std::vector<Place> places;
  for (const MergedEntry& found : entries) {
    LogPosition position = PositionOf(found.entry.time, found.entry.sequence, order);
    places.emplace_back(position.rank, found.source, position.tie);
  }
  return places;
}

class MergeInOrder : public testing::TestWithParam<LogOrder> {};

TEST_P(MergeInOrder, GivesWhatSortingAllEntriesGives) {
  const LogOrder order = GetParam();
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    Random random(seed);
    std::vector<std::vector<LogEntry>> stores(1 + random.Below(4));
    std::vector<Place> expected;
    for (size_t source = 0; source < stores.size(); ++source) {
      const uint64_t count = random.Below(60);
      for (uint64_t i = 0; i < count; ++i) {
        // Many of the same time.
        LogEntry entry = EntryAt(static_cast<int64_t>(random.Below(40)), i);
        LogPosition position = PositionOf(entry.time, i, order);
        expected.emplace_back(position.rank, source, position.tie);
        stores[source].push_back(std::move(entry));
      }
      std::ranges::sort(stores[source], {}, [&](const LogEntry& entry) {
        return PositionOf(entry.time, entry.sequence, order);
      });
    }
    std::ranges::sort(expected);
    const uint64_t total = random.Below(150) + 1;
    const size_t all = expected.size();
    expected.resize(std::min<size_t>(total, all));

    LogMerge merge({.order = order, .limit = 1 + random.Below(9)}, stores.size(), total);
    std::vector<MergedEntry> given;
    while (!merge.done()) {
      for (size_t source : merge.Wanted()) {
        ASSERT_TRUE(merge.Put(source, Answer(stores[source], merge.QueryOf(source))));
      }
      for (MergedEntry& found : merge.Take()) given.push_back(std::move(found));
    }
    EXPECT_EQ(PlacesOf(given, order), expected) << "seed " << seed;
    if (all <= given.size()) continue;
    EXPECT_TRUE(merge.has_more()) << "seed " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(LogMerge, MergeInOrder,
                         testing::Values(LogOrder::kNewestFirst, LogOrder::kOldestFirst));

TEST(LogMerge, GivesNothingThatALaterAnswerCouldPrecede) {
  LogMerge merge({.order = LogOrder::kOldestFirst}, 2, kAll);
  EXPECT_EQ(merge.Wanted(), (std::vector<size_t>{0, 1}));
  ASSERT_TRUE(merge.Put(0, PageOf({EntryAt(5, 1)}, true, LogOrder::kOldestFirst)));
  EXPECT_TRUE(merge.Take().empty());
  EXPECT_EQ(merge.Wanted(), std::vector<size_t>{1});
  ASSERT_TRUE(merge.Put(1, PageOf({EntryAt(3, 1), EntryAt(9, 2)}, false, LogOrder::kOldestFirst)));
  std::vector<MergedEntry> given = merge.Take();
  ASSERT_EQ(given.size(), 2);
  EXPECT_EQ(given[0].entry.time, EntryAt(3, 1).time);
  EXPECT_EQ(given[1].entry.time, EntryAt(5, 1).time);
  // Source 0 may have an entry before 9.
  EXPECT_EQ(merge.Wanted(), std::vector<size_t>{0});
}

TEST(LogMerge, ASourceThatIsRemovedDelaysTheOthersNoLonger) {
  LogMerge merge({.order = LogOrder::kOldestFirst}, 2, kAll);
  ASSERT_TRUE(merge.Put(0, PageOf({EntryAt(5, 1)}, false, LogOrder::kOldestFirst)));
  merge.Remove(1);
  EXPECT_EQ(merge.Take().size(), 1);
  EXPECT_TRUE(merge.done());
}

TEST(LogMerge, RefusesEntriesOutOfOrder) {
  LogMerge merge({.order = LogOrder::kOldestFirst}, 1, kAll);
  Result<void> put =
      merge.Put(0, PageOf({EntryAt(5, 1), EntryAt(4, 2)}, false, LogOrder::kOldestFirst));
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, Errc::kInvalid);
  EXPECT_TRUE(merge.Take().empty());
  EXPECT_TRUE(merge.done());
}

TEST(LogMerge, ASourceThatRepeatsItsPageCannotMakeTheSearchEndless) {
  LogMerge merge({.order = LogOrder::kOldestFirst}, 1, kAll);
  LogPage page = PageOf({EntryAt(5, 1)}, true, LogOrder::kOldestFirst);
  ASSERT_TRUE(merge.Put(0, page));
  EXPECT_EQ(merge.Take().size(), 1);
  Result<void> put = merge.Put(0, page);
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, Errc::kInvalid);
  EXPECT_TRUE(merge.done());
}

TEST(LogMerge, AnEmptyPageWithoutAReasonIsRefused) {
  LogMerge merge({.order = LogOrder::kOldestFirst}, 1, kAll);
  LogPage page;
  page.next = LogPosition{.rank = 5, .tie = 0};
  Result<void> put = merge.Put(0, page);
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, Errc::kInvalid);
}

TEST(LogMerge, ASearchThatTakesLongGoesOnAsLongAsItComesFurther) {
  LogMerge merge({.order = LogOrder::kOldestFirst}, 1, kAll);
  LogPage page;
  page.timed_out = true;
  page.next = LogPosition{.rank = 5, .tie = 0};
  ASSERT_TRUE(merge.Put(0, page));
  EXPECT_EQ(merge.QueryOf(0).after, page.next);
  EXPECT_EQ(merge.Wanted(), std::vector<size_t>{0});
  Result<void> put = merge.Put(0, page);
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, Errc::kTimeout);
  EXPECT_TRUE(merge.done());
}

// A page whose time was over may say a place before the one that it was asked for.
TEST(LogMerge, NeverGoesBack) {
  LogMerge merge({.order = LogOrder::kOldestFirst}, 1, kAll);
  LogPage page = PageOf({EntryAt(5, 1)}, true, LogOrder::kOldestFirst);
  const LogPosition last = *page.next;
  page.timed_out = true;
  page.next = LogPosition{.rank = last.rank - 1, .tie = 0};
  ASSERT_TRUE(merge.Put(0, page));
  EXPECT_EQ(merge.QueryOf(0).after, last);
}

TEST(LogMerge, AsksForNoMoreThanIsLeft) {
  LogMerge merge({.order = LogOrder::kNewestFirst, .limit = 500}, 2, 7);
  EXPECT_EQ(merge.QueryOf(0).limit, 7);
}

}  // namespace
}  // namespace meridian::watch
