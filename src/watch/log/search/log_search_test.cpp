#include "watch/log/search/log_search.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "base/scratch_dir.hpp"
#include "watch/log/segment/log_folder.hpp"
#include "watch/log/segment/segment_fixture.hpp"

namespace meridian::watch {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// Three closed segments, an open one, and blocks in memory; their times overlap.
class LogSearchTest : public testing::Test {
 protected:
  LogSearchTest() {
    for (uint32_t number = 1; number <= 4; ++number) {
      auto writer = SegmentWriter::Create(files_, folder_, number);
      CHECK(writer);
      uint32_t line = 0;
      std::vector<std::shared_ptr<const StoredBlock>> blocks;
      for (size_t lines : std::vector<size_t>{500, 500, 33, 500}) {
        auto stored = (*writer)->Append(MakeBlock(maker_, number, line, lines, &entries_));
        CHECK(stored);
        blocks.push_back(*stored);
        line += static_cast<uint32_t>(lines);
      }
      if (number < 4) {
        auto segment = (*writer)->Close();
        CHECK(segment);
        view_.segments.push_back(*segment);
      } else {
        view_.open_files.push_back({.path = (*writer)->paths().log, .number = 4, .blocks = blocks});
        for (size_t lines : std::vector<size_t>{500, 12}) {
          view_.raw_blocks.push_back(
              std::make_shared<RawBlock>(MakeBlock(maker_, number, line, lines, &entries_)));
          line += static_cast<uint32_t>(lines);
        }
        view_.end_sequence = uint64_t{4} << 32 | line;
      }
    }
  }

  LogPage Search(const LogQuery& query) const {
    LogSearch search(query, view_);
    CHECK(search.Step(clock_, kNever));
    return search.TakePage();
  }
  // All pages.
  std::vector<LogEntry> SearchAll(LogQuery query) const {
    std::vector<LogEntry> found;
    for (;;) {
      LogPage page = Search(query);
      EXPECT_TRUE(page.problems.empty());
      EXPECT_LE(page.entries.size(), query.limit);
      std::ranges::move(page.entries, std::back_inserter(found));
      if (!page.next) return found;
      EXPECT_TRUE(!query.after || *page.next > *query.after);
      query.after = page.next;
    }
  }
  static std::vector<std::string> Terms(std::string_view words) {
    auto terms = ParseTerms(words);
    CHECK(terms);
    return *terms;
  }

  ScratchDir scratch_;
  std::string folder_ = scratch_.path();
  FailingFiles files_;
  EntryMaker maker_{21};
  std::vector<LogEntry> entries_;
  LogView view_;
  SystemClock clock_;
};

TEST_F(LogSearchTest, EveryQueryFindsWhatAPlainSearchFinds) {
  Random& random = maker_.random();
  size_t found_something = 0;
  LogTime end = maker_.arrival();
  for (int round = 0; round < 200; ++round) {
    LogQuery query;
    for (uint64_t i = random.Below(4); i > 0; --i) query.terms.push_back(Terms(maker_.Term())[0]);
    const LogEntry& some = entries_[random.Below(entries_.size())];
    if (random.Chance(0.3)) query.from = kLogStart + (end - kLogStart) * random.Below(100) / 100;
    if (random.Chance(0.3)) query.until = kLogStart + (end - kLogStart) * random.Below(100) / 100;
    if (random.Chance(0.2)) query.origin.tier = some.origin.tier;
    if (random.Chance(0.1)) query.origin.dc = some.origin.dc;
    if (random.Chance(0.1)) query.origin.instance = some.origin.instance;
    if (random.Chance(0.1)) query.trace_id = some.trace_id;
    if (random.Chance(0.3)) query.at_least = static_cast<Severity>(random.Below(kMaxSeverity + 1));
    query.order = static_cast<LogOrder>(random.Below(3));
    query.limit = 1 + random.Below(kMaxPageEntries);
    std::vector<LogEntry> expected = ReferenceSearch(entries_, query);
    found_something += expected.empty() ? 0 : 1;
    ASSERT_EQ(SearchAll(query), expected)
        << "round " << round << " " << fmt::format("{}", fmt::join(query.terms, " "));
  }
  EXPECT_GT(found_something, 50);
}

TEST_F(LogSearchTest, WordsOfALineAreFoundWithIt) {
  Random& random = maker_.random();
  for (int round = 0; round < 100; ++round) {
    const LogEntry& entry = entries_[random.Below(entries_.size())];
    std::string text = ReferenceText(entry);
    std::string words;
    for (int i = 0; i < 2; ++i) {
      // Any piece between white space of the line.
      size_t at = random.Below(text.size());
      size_t begin = text.find_last_of(" \n\t", at) + 1;
      size_t end = std::min(text.find_first_of(" \n\t", at), text.size());
      if (end > begin)
        words += text.substr(begin, std::min(end - begin, kMaxSearchTermBytes)) + " ";
    }
    LogQuery query{.terms = Terms(words), .limit = kMaxPageEntries};
    std::vector<LogEntry> found = SearchAll(query);
    ASSERT_EQ(found, ReferenceSearch(entries_, query)) << words;
    EXPECT_THAT(found, testing::Contains(testing::Field(&LogEntry::sequence, entry.sequence)))
        << words;
  }
}

TEST_F(LogSearchTest, ASearchForEverythingReturnsPagesOfTheLargestSize) {
  LogQuery query{.limit = 1'000'000};
  LogPage page = Search(query);
  EXPECT_EQ(page.entries.size(), kMaxPageEntries);
  EXPECT_TRUE(page.next);
  EXPECT_FALSE(page.timed_out);
  query.limit = kMaxPageEntries;
  EXPECT_EQ(SearchAll(query).size(), entries_.size());
}

TEST_F(LogSearchTest, APageThatHasAllSaysSo) {
  LogQuery query{.terms = Terms("nosuchword")};
  LogPage page = Search(query);
  EXPECT_TRUE(page.entries.empty());
  EXPECT_FALSE(page.next);
  EXPECT_EQ(page.end_sequence, view_.end_sequence);
  ASSERT_TRUE(page.kept_since);
  EXPECT_EQ(*page.kept_since, std::ranges::min(entries_, {}, &LogEntry::time).time);
}

TEST_F(LogSearchTest, LongEntriesMakeShortPages) {
  view_ = {};
  for (uint32_t i = 0; i < 40; ++i) {
    BlockBuilder builder;
    builder.Add(
        {.time = kLogStart + 1h * i, .text = "long" + std::string(i % 3 == 0 ? 10 : 300'000, 'x')});
    view_.raw_blocks.push_back(std::make_shared<RawBlock>(RawBlock{
        .segment = 9, .first_line = i, .range = builder.range(), .raw = builder.Encode()}));
  }
  for (LogOrder order : {LogOrder::kNewestFirst, LogOrder::kOldestFirst, LogOrder::kArrival}) {
    LogQuery query{.order = order, .limit = kMaxPageEntries};
    EXPECT_LT(Search(query).entries.size(), 30);
    std::vector<LogEntry> all = SearchAll(query);
    ASSERT_EQ(all.size(), 40);
    for (size_t i = 1; i < all.size(); ++i) {
      EXPECT_LT(PositionOf(all[i - 1].time, all[i - 1].sequence, order),
                PositionOf(all[i].time, all[i].sequence, order));
    }
  }
}

TEST_F(LogSearchTest, AtItsDeadlineASearchReturnsWhatIsCertainAndGoesOnFromThere) {
  for (LogOrder order : {LogOrder::kNewestFirst, LogOrder::kOldestFirst, LogOrder::kArrival}) {
    LogQuery query{.terms = Terms("request served"), .order = order, .limit = kMaxPageEntries};
    std::vector<LogEntry> expected = ReferenceSearch(entries_, query);
    std::vector<LogEntry> found;
    int timed_out = 0;
    for (int pages = 0; pages < 100; ++pages) {
      LogSearch search(query, view_);
      for (int steps = 0; steps < 8; ++steps) {
        if (search.Step(clock_, clock_.Now())) break;
      }
      LogPage page = search.TakePage();
      timed_out += page.timed_out ? 1 : 0;
      std::ranges::move(page.entries, std::back_inserter(found));
      if (!page.next) break;
      query.after = page.next;
    }
    EXPECT_GT(timed_out, 0);
    EXPECT_EQ(found, expected);
  }
}

// A block may begin before the place from which a search goes on.
TEST_F(LogSearchTest, AtItsDeadlineASearchNeverGoesBack) {
  for (LogOrder order : {LogOrder::kNewestFirst, LogOrder::kOldestFirst, LogOrder::kArrival}) {
    LogQuery query{.order = order, .limit = kMaxPageEntries};
    std::vector<LogEntry> all = ReferenceSearch(entries_, query);
    for (size_t at = 50; at < all.size(); at += 300) {
      query.after = PositionOf(all[at].time, all[at].sequence, order);
      LogSearch search(query, view_);
      ASSERT_FALSE(search.Step(clock_, clock_.Now()));
      LogPage page = search.TakePage();
      ASSERT_TRUE(page.next);
      EXPECT_GE(*page.next, *query.after) << at;
    }
  }
}

TEST_F(LogSearchTest, AFollowerReadsEachEntryOnce) {
  LogQuery query{.order = LogOrder::kArrival, .limit = 100};
  std::vector<LogEntry> found = SearchAll(query);
  EXPECT_EQ(found, entries_);
  query.after = PositionOf({}, view_.end_sequence - 1, LogOrder::kArrival);
  EXPECT_TRUE(SearchAll(query).empty());
}

TEST_F(LogSearchTest, ADamagedBlockIsNamedAndTheRestIsFound) {
  const std::string path = view_.segments[1]->paths().log;
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(kSegmentHeaderBytes + kBlockHeaderBytes + 100);
  file.put('\x7f');
  file.put('\x7f');
  file.close();
  LogQuery query{.terms = Terms("nosuchword")};
  EXPECT_TRUE(Search(query).problems.empty());  // the index shows that nothing is missing
  query.terms.clear();
  query.order = LogOrder::kOldestFirst;
  std::vector<LogEntry> found;
  std::vector<std::string> problems;
  for (;;) {
    LogPage page = Search(query);
    std::ranges::move(page.entries, std::back_inserter(found));
    for (const std::string& problem : page.problems) problems.push_back(problem);
    if (!page.problems.empty()) EXPECT_EQ(page.unread_lines, 500);
    if (!page.next) break;
    query.after = page.next;
  }
  EXPECT_EQ(found.size(), entries_.size() - 500);
  ASSERT_FALSE(problems.empty());
  EXPECT_THAT(problems[0], HasSubstr(path));
}

TEST_F(LogSearchTest, AFileThatIsMissingIsNamedUnlessItWasRemovedByTheQuota) {
  LogQuery query{.terms = Terms("request")};
  query.order = LogOrder::kOldestFirst;
  std::filesystem::remove(view_.segments[0]->paths().log);
  LogPage page = Search(query);
  ASSERT_EQ(page.problems.size(), 1);
  EXPECT_THAT(page.problems[0], HasSubstr(view_.segments[0]->paths().log));
  EXPECT_EQ(page.unread_lines, 1533);
  ASSERT_TRUE(view_.segments[0]->Remove());
  EXPECT_TRUE(Search(query).problems.empty());
}

TEST_F(LogSearchTest, WithoutWordIndexesTheSameIsFound) {
  for (const auto& segment : view_.segments) std::ofstream(segment->paths().words) << "damaged";
  for (std::string_view words : {"request", "rareb", "größe error", "10.1"}) {
    LogQuery query{.terms = Terms(words), .limit = 77};
    EXPECT_EQ(SearchAll(query), ReferenceSearch(entries_, query)) << words;
  }
}

TEST(Terms, AreLimited) {
  EXPECT_EQ(*ParseTerms("  Two\twords "), (std::vector<std::string>{"two", "words"}));
  EXPECT_TRUE(ParseTerms("")->empty());
  EXPECT_EQ(ParseTerms("a\xff").error().code, Errc::kInvalid);
  EXPECT_EQ(ParseTerms(std::string("a\0b", 3)).error().code, Errc::kInvalid);
  EXPECT_TRUE(ParseTerms(std::string(kMaxSearchTermBytes, 'a')));
  EXPECT_EQ(ParseTerms(std::string(kMaxSearchTermBytes + 1, 'a')).error().code, Errc::kTooLarge);
  std::string words;
  for (size_t i = 0; i < kMaxSearchTerms; ++i) words += "w ";
  EXPECT_TRUE(ParseTerms(words));
  EXPECT_EQ(ParseTerms(words + "w").error().code, Errc::kTooLarge);
}

}  // namespace
}  // namespace meridian::watch
