#include "watch/log/remote/search_message.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "base/result.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/limits.hpp"
#include "watch/log/lines/printable.hpp"
#include "watch/log/log_fixture.hpp"
#include "watch/log/remote/limits.hpp"
#include "watch/log/search/log_query.hpp"

namespace meridian::watch {
namespace {

using namespace std::chrono_literals;

LogPage PageOf(size_t count, uint64_t seed) {
  LogPage page;
  EntryMaker maker(seed);
  for (size_t i = 0; i < count; ++i) {
    page.entries.push_back(maker.Next());
    page.entries.back().sequence = (uint64_t{0x7fffffff} << 32U) + i;
  }
  return page;
}

Errc QueryError(std::string_view json) {
  Result<LogQuery> query = ReadLogQuery(json);
  EXPECT_FALSE(query) << json;
  return query ? Errc::kIo : query.error().code;
}

Errc PageError(std::string_view json) {
  Result<LogPage> page = ReadLogPage(json);
  EXPECT_FALSE(page) << json;
  return page ? Errc::kIo : page.error().code;
}

TEST(SearchMessage, AQueryIsReadAsItWasWritten) {
  LogQuery query{.terms = {"refused", "10.1.2.3"},
                 .from = kLogStart,
                 .until = kLogStart + 7us,
                 .origin = {.dc = "us-east",
                            .host = "h",
                            .tier = "app",
                            .name = "shop",
                            .instance = "us-east-1",
                            .release = "r\"7"},
                 .trace_id = "4bf92f",
                 .at_least = Severity::kWarning,
                 .order = LogOrder::kArrival,
                 .limit = 7,
                 .after = LogPosition{.rank = -5, .tie = ~uint64_t{0}}};
  Result<LogQuery> read = ReadLogQuery(ToJson(query));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->terms, query.terms);
  EXPECT_EQ(read->from, query.from);
  EXPECT_EQ(read->until, query.until);
  EXPECT_EQ(read->origin, query.origin);
  EXPECT_EQ(read->trace_id, query.trace_id);
  EXPECT_EQ(read->at_least, query.at_least);
  EXPECT_EQ(read->order, query.order);
  EXPECT_EQ(read->limit, query.limit);
  EXPECT_EQ(read->after, query.after);
}

TEST(SearchMessage, WhatAQueryDoesNotSayIsAsInAnEmptyQuery) {
  LogQuery empty;
  Result<LogQuery> read = ReadLogQuery(R"({"order": "newest"})");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->at_least, empty.at_least);
  EXPECT_EQ(read->limit, empty.limit);
  EXPECT_EQ(read->from, std::nullopt);
  EXPECT_EQ(read->after, std::nullopt);
  EXPECT_TRUE(read->terms.empty());
}

TEST(SearchMessage, AFilterThatIsNotKnownIsRefusedAndNotIgnored) {
  Result<LogQuery> query = ReadLogQuery(R"({"order": "newest", "user": "7"})");
  ASSERT_FALSE(query);
  EXPECT_EQ(query.error().message, "message: it has a member that this version does not know");
}

TEST(SearchMessage, ATermIsFoldedAndIsOneWord) {
  Result<LogQuery> query = ReadLogQuery(R"({"order": "newest", "terms": ["REFUSED"]})");
  ASSERT_TRUE(query) << query.error().message;
  EXPECT_EQ(query->terms, std::vector<std::string>{"refused"});
  EXPECT_EQ(QueryError(R"({"order": "newest", "terms": ["two words"]})"), Errc::kInvalid);
  EXPECT_EQ(QueryError(R"({"order": "newest", "terms": [""]})"), Errc::kInvalid);
  EXPECT_EQ(QueryError(R"({"order": "newest", "terms": ["a\u001bb"]})"), Errc::kInvalid);
}

TEST(SearchMessage, AQueryPastALimitIsRefused) {
  EXPECT_EQ(QueryError("[]"), Errc::kInvalid);
  EXPECT_EQ(QueryError("{"), Errc::kInvalid);
  EXPECT_EQ(QueryError("{}"), Errc::kInvalid);
  EXPECT_EQ(QueryError(R"({"order": "best"})"), Errc::kInvalid);
  EXPECT_EQ(QueryError(R"({"order": "newest", "limit": 0})"), Errc::kInvalid);
  EXPECT_EQ(QueryError(R"({"order": "newest", "limit": 1001})"), Errc::kInvalid);
  EXPECT_EQ(QueryError(R"({"order": "newest", "level": 7})"), Errc::kInvalid);
  EXPECT_EQ(QueryError(R"({"order": "newest", "from": 9000000000000001})"), Errc::kInvalid);
  EXPECT_EQ(QueryError(R"({"order": "newest", "after": {"rank": 1}})"), Errc::kInvalid);
  EXPECT_EQ(QueryError(R"({"order": "newest", "after": 1})"), Errc::kInvalid);
  EXPECT_EQ(QueryError(R"({"order": "newest", "dc": ")" + std::string(257, 'a') + "\"}"),
            Errc::kTooLarge);
  EXPECT_EQ(QueryError(std::string(kMaxQueryMessageBytes + 1, ' ')), Errc::kTooLarge);
}

TEST(SearchMessage, TheLargestQueryFitsIntoItsMessage) {
  LogQuery query;
  const std::string name(kMaxOriginFieldBytes, '"');
  query.terms.assign(kMaxSearchTerms, std::string(kMaxSearchTermBytes, '\\'));
  query.origin = {
      .dc = name, .host = name, .tier = name, .name = name, .instance = name, .release = name};
  query.trace_id = std::string(kMaxTraceIdBytes, '"');
  Result<LogQuery> read = ReadLogQuery(ToJson(query));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->terms, query.terms);
}

TEST(SearchMessage, APageIsReadAsItWasWritten) {
  LogPage page = PageOf(300, 11);
  page.entries[3].marks.Set(EntryMark::kDropped);
  page.next = LogPosition{.rank = -9, .tie = 3};
  page.timed_out = true;
  page.problems = {"segment 3: damaged"};
  page.unread_lines = 500;
  page.kept_since = kLogStart;
  page.copied_until = kLogStart + std::chrono::microseconds{7};
  page.end_sequence = ~uint64_t{0};
  Result<LogPage> read = ReadLogPage(ToJson(page, LogOrder::kOldestFirst));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->entries, page.entries);
  EXPECT_EQ(read->next, page.next);
  EXPECT_TRUE(read->timed_out);
  EXPECT_EQ(read->problems, page.problems);
  EXPECT_EQ(read->unread_lines, 500);
  EXPECT_EQ(read->kept_since, kLogStart);
  EXPECT_EQ(read->copied_until, page.copied_until);
  EXPECT_EQ(read->end_sequence, page.end_sequence);
}

// As a member that a newer data center adds.
TEST(SearchMessage, AMemberOfAPageThatIsNotKnownIsIgnored) {
  Result<LogPage> page = ReadLogPage(
      R"({"end": 1, "new": 2, "entries":
          [{"time": 1, "arrival": 2, "sequence": 3, "text": "t", "new": {}}]})");
  ASSERT_TRUE(page) << page.error().message;
  ASSERT_EQ(page->entries.size(), 1);
  EXPECT_EQ(page->entries[0].text, "t");
}

TEST(SearchMessage, APageOfAStrangerCannotReachTheTerminal) {
  const std::string front = R"({"end": 1, "entries": [{"time": 1, "arrival": 2, "sequence": 3, )";
  EXPECT_EQ(PageError(front + R"("text": "\u001b[2J"}]})"), Errc::kInvalid);
  EXPECT_EQ(PageError(front + R"("text": "", "instance": "\u001b[2J"}]})"), Errc::kInvalid);
  EXPECT_EQ(PageError(front + R"("text": "", "fields": "\u0007"}]})"), Errc::kInvalid);
  EXPECT_EQ(PageError(R"({"end": 1, "problems": ["\u001b[2J"]})"), Errc::kInvalid);
  EXPECT_EQ(PageError(front + R"("text": 7}]})"), Errc::kInvalid);
  EXPECT_EQ(PageError(front + R"("text": "", "marks": 256}]})"), Errc::kInvalid);
  EXPECT_EQ(PageError(front + R"("text": "", "marks": 128}]})"), Errc::kInvalid);
  EXPECT_EQ(PageError(R"({"end": 1, "entries": [{"text": "no time"}]})"), Errc::kInvalid);
  EXPECT_EQ(PageError(R"({"entries": []})"), Errc::kInvalid);
  EXPECT_EQ(PageError(std::string(kMaxPageMessageBytes + 1, ' ')), Errc::kTooLarge);
}

// Every byte of the texts is written as two.
TEST(SearchMessage, APageThatIsTooLargeForAMessageIsContinuedWithoutALoss) {
  LogPage page = PageOf(40, 5);
  for (LogEntry& entry : page.entries) entry.text = std::string(kMaxEntryBytes - 1000, '"');
  page.timed_out = true;
  page.next = LogPosition{.rank = 1, .tie = 1};
  std::string json = ToJson(page, LogOrder::kOldestFirst);
  EXPECT_LE(json.size(), kMaxPageMessageBytes);
  Result<LogPage> read = ReadLogPage(json);
  ASSERT_TRUE(read) << read.error().message;
  const size_t count = read->entries.size();
  ASSERT_GT(count, 1);
  ASSERT_LT(count, page.entries.size());
  for (size_t i = 0; i < count; ++i) EXPECT_EQ(read->entries[i], page.entries[i]);
  EXPECT_FALSE(read->timed_out);
  EXPECT_EQ(read->next, PositionOf(page.entries[count - 1].time, page.entries[count - 1].sequence,
                                   LogOrder::kOldestFirst));
}

TEST(SearchMessage, AProblemWithAnyBytesCanBeRead) {
  LogPage page;
  page.problems = {"/logs/\x1b[2J\xff: damaged", std::string(3 * kMaxProblemBytes, '\xff')};
  Result<LogPage> read = ReadLogPage(ToJson(page, LogOrder::kNewestFirst));
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->problems.size(), 2);
  EXPECT_EQ(read->problems[0], "/logs/\\xFF: damaged");
  EXPECT_EQ(read->problems[1].size(), kMaxProblemBytes);
}

TEST(SearchMessage, ADamagedPageIsRefusedOrPrintable) {
  LogPage page = PageOf(3, 9);
  page.next = LogPosition{.rank = 1, .tie = 1};
  page.problems = {"damaged"};
  const std::string whole = ToJson(page, LogOrder::kOldestFirst);
  int refused = 0;
  int read = 0;
  for (uint64_t seed = 1; seed <= 5000; ++seed) {
    Random random(seed);
    std::string damaged = whole;
    for (uint64_t i = random.Below(3) + 1; i > 0; --i) {
      damaged[random.Below(damaged.size())] = static_cast<char>(random.Below(256));
    }
    if (random.Below(8) == 0) damaged.resize(random.Below(damaged.size()));
    Result<LogPage> result = ReadLogPage(damaged);
    ++(result ? read : refused);
    if (!result) continue;
    for (const LogEntry& entry : result->entries) {
      EXPECT_TRUE(IsPrintable(entry.text) && IsPrintable(entry.fields)) << "seed " << seed;
      EXPECT_TRUE(IsPrintable(entry.origin.instance)) << "seed " << seed;
    }
  }
  EXPECT_GT(refused, 0);
  EXPECT_GT(read, 0);
}

}  // namespace
}  // namespace meridian::watch
