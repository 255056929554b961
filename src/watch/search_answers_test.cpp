#include "watch/search_answers.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/metrics_text.hpp"
#include "site/tier/output_frame.hpp"
#include "watch/log/remote/search_message.hpp"
#include "watch/port_fixture.hpp"

namespace meridian::watch {
namespace {

using testing::HasSubstr;

class SearchAnswersTest : public PortFixture {
 public:
  SearchAnswersTest() {
    handler_ = [this](http::Exchange& exchange) { return answers_.Answer(exchange); };
  }

  void Add(std::string text) {
    EXPECT_TRUE(store_->Add({.time = ToLogTime(loop_.Wall()),
                             .arrival = ToLogTime(loop_.Wall()),
                             .text = std::move(text)}));
  }
  // The page that is answered.
  io::Task<LogPage> Ask(LogQuery query, std::string after = "") {
    http::Fetched answer = co_await Post(site::kLogSearchPath, after, ToJson(query));
    EXPECT_EQ(answer.status, 200) << answer.body;
    auto page = ReadLogPage(answer.body);
    EXPECT_TRUE(page) << page.error().message;
    co_return page ? std::move(*page) : LogPage{};
  }

  SearchAnswers answers_{loop_, counts_, [](std::string_view) { return nullptr; }};
};

TEST_F(SearchAnswersTest, APageHasWhatTheQueryFinds) {
  Run([&]() -> io::Task<void> {
    answers_.Open(*store_);
    Add("the disk is full");
    Add("all is well");
    LogPage page = co_await Ask({.terms = {"disk"}});
    EXPECT_EQ(page.entries.size(), 1U);
    EXPECT_EQ(page.entries.at(0).text, "the disk is full");
    EXPECT_THAT(MetricsText(metrics_), HasSubstr("searches_total{result=\"answered\"} 1\n"));
  });
}

TEST_F(SearchAnswersTest, AFollowerWaitsForTheNextEntry) {
  Run([&]() -> io::Task<void> {
    answers_.Open(*store_);
    Add("old");
    const uint64_t end = (co_await Ask({})).end_sequence;
    std::vector<std::string> got;
    io::Scope following(loop_);
    following.Spawn([](SearchAnswersTest& test, uint64_t sequence,
                       std::vector<std::string>* into) -> io::Task<void> {
      LogQuery query{.order = LogOrder::kArrival,
                     .after = PositionOf({}, sequence - 1, LogOrder::kArrival)};
      LogPage page = co_await test.Ask(query, fmt::format("after={}", sequence));
      for (const LogEntry& entry : page.entries) into->push_back(entry.text);
    }(*this, end, &got));
    Add("new");
    co_await following.Join();
    EXPECT_EQ(got, std::vector<std::string>{"new"});
  });
}

TEST_F(SearchAnswersTest, WrongRequestsAreRefusedWithTheReason) {
  Run([&]() -> io::Task<void> {
    answers_.Open(*store_);
    for (const auto& [query, body, status] : std::vector<std::tuple<std::string, std::string, int>>{
             {"", "", 400},
             {"", "{\"colour\":\"red\"}", 400},
             {"", fmt::format("{{\"terms\":[\"{}\"]}}", std::string(300, 'x')), 413},
             {"after=-1", "{}", 400},
             {"after=1x", "{}", 400},
             {"before=1", "{}", 400},
             {"copy=", "{}", 400},
             {"copy=us-west", ToJson(LogQuery{}), 404}}) {
      http::Fetched answer = co_await Post(site::kLogSearchPath, query, body);
      EXPECT_EQ(answer.status, status) << query << " " << body << ": " << answer.body;
      EXPECT_THAT(answer.body, HasSubstr("\n"));
    }
  });
}

TEST_F(SearchAnswersTest, WithoutAStoreTheReasonIsTold) {
  Run([&]() -> io::Task<void> {
    answers_.SetProblem("the disk is full");
    http::Fetched answer = co_await Post(site::kLogSearchPath, "", ToJson(LogQuery{}));
    EXPECT_EQ(answer.status, 503);
    EXPECT_THAT(answer.body, HasSubstr("the disk is full"));
    EXPECT_THAT(MetricsText(metrics_), HasSubstr("searches_total{result=\"refused\"} 1\n"));
  });
}

TEST_F(SearchAnswersTest, TooManyFollowersAreRefused) {
  Run([&]() -> io::Task<void> {
    answers_.Open(*store_);
    const uint64_t end = (co_await Ask({})).end_sequence;
    const std::string after = fmt::format("after={}", end);
    io::Scope following(loop_);
    int answered = 0;
    int refused = 0;
    for (size_t i = 0; i < kMaxPageRequests + 3; ++i) {
      following.Spawn(
          [](SearchAnswersTest& test, std::string query, int* yes, int* no) -> io::Task<void> {
            const std::string following = ToJson(LogQuery{.order = LogOrder::kArrival});
            http::Fetched answer = co_await test.Post(site::kLogSearchPath, query, following);
            ++(answer.status == 503 ? *no : *yes);
            // The first of those that are refused lets the others go on.
            if (answer.status == 503 && *no == 3) test.Add("new");
          }(*this, after, &answered, &refused));
    }
    co_await following.Join();
    // More are woken at once than the store searches for at the same time.
    EXPECT_EQ(answered, static_cast<int>(kMaxPageRequests));
    EXPECT_EQ(refused, 3);
  });
}

}  // namespace
}  // namespace meridian::watch
