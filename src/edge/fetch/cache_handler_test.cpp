// Orders of events that an outside client cannot produce: purges and deadlines in the middle of a
// fetch.
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "edge/fetch/cache_handler_fixture.hpp"
#include "edge/limits.hpp"

namespace meridian::edge {
namespace {

using http::MemoryStream;
using http::RawPeer;
using std::chrono::seconds;

constexpr std::string_view kHead =
    "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nCache-Control: max-age=60\r\nCache-Tag: t\r\n\r\n";

class CacheHandlerTest : public CacheHandlerFixture {
 protected:
  void ExpectPurgeDuringFetchHolds(const PurgeOrder& order) {
    RunScript([&]() -> io::Task<void> {
      MemoryStream* before = co_await Visit("/x");
      auto old_origin = co_await Asked();
      (void)co_await RawPeer(*old_origin).Send(std::string(kHead) + "old");
      MemoryStream* joined = co_await Visit("/x");
      Purge(order);
      MemoryStream* after = co_await Visit("/x");
      auto new_origin = co_await Asked();
      (void)co_await RawPeer(*new_origin).Send(std::string(kHead) + "newest");
      EXPECT_TRUE((co_await AnswerTo(after)).ends_with("newest"));
      (void)co_await RawPeer(*old_origin).Send("est");
      EXPECT_TRUE((co_await AnswerTo(before)).ends_with("oldest"));
      EXPECT_TRUE((co_await AnswerTo(joined)).ends_with("oldest"));
      MemoryStream* last = co_await Visit("/x");
      EXPECT_TRUE((co_await AnswerTo(last)).ends_with("newest"));
    });
  }
};

TEST_F(CacheHandlerTest, APurgeByUrlDuringAFetchKeepsItsResponseFromLaterVisitorsAndOutOfTheStore) {
  ExpectPurgeDuringFetchHolds({.kind = PurgeOrder::kUrl, .value = "http://a/x"});
}

TEST_F(CacheHandlerTest, APurgeByTagDuringAFetchKeepsItsResponseFromLaterVisitorsAndOutOfTheStore) {
  ExpectPurgeDuringFetchHolds({.kind = PurgeOrder::kTag, .value = "t"});
}

TEST_F(CacheHandlerTest,
       ASoftPurgeByPrefixDuringAFetchKeepsItsResponseFromLaterVisitorsAndOutOfTheStore) {
  ExpectPurgeDuringFetchHolds({.kind = PurgeOrder::kPrefix, .value = "/", .soft = true});
}

TEST_F(CacheHandlerTest, ARequestThatComesAfterAPurgeByTagDoesNotGetThePurgedFetch) {
  RunScript([&]() -> io::Task<void> {
    MemoryStream* before = co_await Visit("/x");
    auto old_origin = co_await Asked();
    Purge({.kind = PurgeOrder::kTag, .value = "t"});
    MemoryStream* after = co_await Visit("/x");  // the tags of the response are not known yet
    auto new_origin = co_await Asked();
    (void)co_await RawPeer(*old_origin).Send(std::string(kHead) + "oldest");
    (void)co_await RawPeer(*new_origin).Send(std::string(kHead) + "newest");
    EXPECT_TRUE((co_await AnswerTo(before)).ends_with("oldest"));
    EXPECT_TRUE((co_await AnswerTo(after)).ends_with("newest"));
    MemoryStream* last = co_await Visit("/x");
    EXPECT_TRUE((co_await AnswerTo(last)).ends_with("newest"));
  });
}

TEST_F(CacheHandlerTest, IdsOfOneRequestWereStoredAndSentToOtherVisitors) {
  RunScript([&]() -> io::Task<void> {
    constexpr std::string_view kIds =
        "x-request-ID: mine\r\nX-Correlation-Id: mine\r\nTraceParent: mine\r\n"
        "tracestate: mine\r\ntraceresponse: mine\r\n";
    MemoryStream* first = co_await Visit("/x");
    auto origin = co_await Asked();
    MemoryStream* joined = co_await Visit("/x");
    std::string head(kHead.substr(0, kHead.size() - 2));
    (void)co_await RawPeer(*origin).Send(head + std::string(kIds) + "\r\nanswer");
    EXPECT_TRUE((co_await AnswerTo(first)).ends_with("answer"));
    MemoryStream* later = co_await Visit("/x");
    for (MemoryStream* other : {joined, later}) {
      std::string answer = co_await AnswerTo(other);
      EXPECT_TRUE(answer.ends_with("answer"));
      EXPECT_EQ(answer.find("mine"), std::string::npos) << answer;
    }
  });
}

TEST_F(CacheHandlerTest, ARequestWithoutAKeyReadTheKeyAllTheSame) {
  RunScript([&]() -> io::Task<void> {
    for (const std::string& request :
         {std::string("OPTIONS * HTTP/1.1\r\nHost: a\r\n"),
          "GET / HTTP/1.1\r\nHost: " + std::string(2000, 'a') + "\r\n"}) {
      visitors_.push_back(Connect());
      (void)co_await RawPeer(*visitors_.back()).Send(request + "Connection: close\r\n\r\n");
      auto origin = co_await Asked();
      (void)co_await RawPeer(*origin).Send(std::string(kHead) + "answer");
      EXPECT_TRUE((co_await AnswerTo(visitors_.back().get())).ends_with("answer"));
    }
    EXPECT_EQ(cache_.store().objects(), 0U);
  });
}

TEST_F(CacheHandlerTest, WaitingForAFetchHasADeadlineAndThenEachRequestAsksTheOrigin) {
  RunScript([&]() -> io::Task<void> {
    (void)co_await Visit("/x");
    auto silent = co_await Asked();
    MemoryStream* waiting = co_await Visit("/x");
    TimePoint before = loop_.Now();
    auto second = co_await Asked();
    EXPECT_LE(loop_.Now() - before, kCollapseTimeout);
    EXPECT_GE(loop_.Now() - before, kCollapseTimeout - seconds{2});
    (void)co_await RawPeer(*second).Send(std::string(kHead) + "at all");
    EXPECT_TRUE((co_await AnswerTo(waiting)).ends_with("at all"));
  });
}

TEST_F(CacheHandlerTest, AnUnsafeRequestDuringAFetchKeepsTheOldAnswerOutOfTheStore) {
  RunScript([&]() -> io::Task<void> {
    MemoryStream* before = co_await Visit("/x");
    auto old_origin = co_await Asked();
    (void)co_await RawPeer(*old_origin).Send(std::string(kHead) + "old");
    co_await Delete("/x");
    (void)co_await RawPeer(*old_origin).Send("est");
    EXPECT_TRUE((co_await AnswerTo(before)).ends_with("oldest"));
    EXPECT_EQ(cache_.store().objects(), 0U);
  });
}

TEST_F(CacheHandlerTest, AnUnsafeRequestDidNotForbidAnUnsharedFetch) {
  RunScript([&]() -> io::Task<void> {
    MemoryStream* first = co_await Visit("/x");
    auto origin = co_await Asked();
    (void)co_await RawPeer(*origin).Send(
        "HTTP/1.1 500 Oh\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    EXPECT_TRUE((co_await AnswerTo(first)).starts_with("HTTP/1.1 500"));
    MemoryStream* alone = co_await Visit("/x");
    auto old_origin = co_await Asked();
    co_await Delete("/x");
    (void)co_await RawPeer(*old_origin).Send(std::string(kHead) + "oldest");
    EXPECT_TRUE((co_await AnswerTo(alone)).ends_with("oldest"));
    EXPECT_EQ(cache_.store().objects(), 0U);
  });
}

TEST_F(CacheHandlerTest, ASlowBodyWasServedToRequestsThatCameWhenItWasStale) {
  RunScript([&]() -> io::Task<void> {
    MemoryStream* before = co_await Visit("/x");
    auto old_origin = co_await Asked();
    (void)co_await RawPeer(*old_origin)
        .Send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\nCache-Control: max-age=3\r\n\r\nold");
    MemoryStream* joined = co_await Visit("/x");
    (void)co_await io::Sleep(seconds{3});
    MemoryStream* after = co_await Visit("/x");
    auto new_origin = co_await Asked();
    (void)co_await RawPeer(*new_origin).Send(std::string(kHead) + "newest");
    EXPECT_TRUE((co_await AnswerTo(after)).ends_with("newest"));
    (void)co_await RawPeer(*old_origin).Send("est");
    EXPECT_TRUE((co_await AnswerTo(before)).ends_with("oldest"));
    EXPECT_TRUE((co_await AnswerTo(joined)).ends_with("oldest"));
    MemoryStream* last = co_await Visit("/x");
    EXPECT_TRUE((co_await AnswerTo(last)).ends_with("newest"));
  });
}

TEST_F(CacheHandlerTest, OneUnstorableResponseKeptRangesFromCoalescingForGood) {
  RunScript([&]() -> io::Task<void> {
    MemoryStream* first = co_await Visit("/x");
    auto origin = co_await Asked();
    (void)co_await RawPeer(*origin).Send(
        "HTTP/1.1 500 Oh\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    EXPECT_TRUE((co_await AnswerTo(first)).starts_with("HTTP/1.1 500"));
    (void)co_await io::Sleep(kPassTime - seconds{3});
    MemoryStream* part = co_await Visit("/x", "Range: bytes=0-0\r\n");
    origin = co_await Asked();
    (void)co_await RawPeer(*origin).Send(
        "HTTP/1.1 206 Part\r\nConnection: close\r\nContent-Length: 1\r\n"
        "Content-Range: bytes 0-0/6\r\n\r\nn");
    EXPECT_TRUE((co_await AnswerTo(part)).starts_with("HTTP/1.1 206"));
    (void)co_await io::Sleep(seconds{3});
    MemoryStream* leads = co_await Visit("/x", "Range: bytes=0-0\r\n");
    origin = co_await Asked();
    MemoryStream* joins = co_await Visit("/x");
    (void)co_await RawPeer(*origin).Send(std::string(kHead) + "newest");
    EXPECT_TRUE((co_await AnswerTo(leads)).ends_with("n"));
    EXPECT_TRUE((co_await AnswerTo(joins)).ends_with("newest"));
  });
}

TEST_F(CacheHandlerTest, AFetchForStoringWasAbandonedWhenItsFirstReaderLeft) {
  RunScript([&]() -> io::Task<void> {
    (void)co_await Visit("/large", "Range: bytes=0-3\r\n");
    auto origin = co_await Asked();
    (void)co_await RawPeer(*origin).Send(
        "HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\nCache-Control: max-age=60\r\n\r\npart");
    EXPECT_TRUE((co_await AnswerTo(visitors_.front().get())).ends_with("part"));
    EXPECT_FALSE(origin->hung_up());
    (void)co_await RawPeer(*origin).Send(std::string(8'999'996, 'x'));
    (void)co_await io::Sleep(seconds{1});
    EXPECT_EQ(cache_.store().objects(), 1U);
    EXPECT_TRUE(
        (co_await AnswerTo(co_await Visit("/large", "Range: bytes=-2\r\n"))).ends_with("xx"));
    EXPECT_EQ(network_.connects, 1);
  });
}

TEST_F(CacheHandlerTest, AnAnswerSaidThatItWasStoredAndItBrokeOff) {
  RunScript([&]() -> io::Task<void> {
    MemoryStream* visitor = co_await Visit("/x");
    auto origin = co_await Asked();
    (void)co_await RawPeer(*origin).Send(std::string(kHead) + "bro");
    (void)co_await io::Sleep(seconds{1});
    origin->Close();
    const std::string broken = co_await AnswerTo(visitor);
    EXPECT_NE(broken.find("fwd=uri-miss"), broken.npos) << broken;
    EXPECT_EQ(broken.find("stored"), broken.npos) << broken;
    visitor = co_await Visit("/x");
    origin = co_await Asked();
    (void)co_await RawPeer(*origin).Send(std::string(kHead) + "is it");
    (void)co_await RawPeer(*origin).Send("!");
    const std::string whole = co_await AnswerTo(visitor);
    EXPECT_NE(whole.find("; stored"), whole.npos) << whole;
    EXPECT_EQ(cache_.store().objects(), 1U);
  });
}

class TooLargeTest : public CacheHandlerTest {
 protected:
  TooLargeTest() { config_.cache.max_object_bytes = 4; }

  // The head of the edge's request when a visitor requests a range; the origin sends `answer`.
  io::Task<std::string> AskForRange(std::string answer) {
    (void)co_await Visit("/x", "Range: bytes=0-0\r\n");
    origins_.push_back(co_await network_.Accept());
    std::string head = co_await RawPeer(*origins_.back()).ReadHead();
    (void)co_await RawPeer(*origins_.back()).Send(answer);
    (void)co_await io::Sleep(seconds{1});
    co_return head;
  }

  // Expects that the first range fetches the whole, and further ranges within kTooLargeTime do not.
  void ExpectRemembered(std::string whole) {
    const std::string part =
        "HTTP/1.1 206 Part\r\nConnection: close\r\nContent-Length: 1\r\n"
        "Content-Range: bytes 0-0/6\r\n\r\nn";
    RunScript([&]() -> io::Task<void> {
      EXPECT_EQ((co_await AskForRange(whole)).find("Range:"), std::string::npos);
      if (whole.contains("Content-Length")) {  // the edge asks again for the range alone
        origins_.push_back(co_await network_.Accept());
        EXPECT_TRUE((co_await RawPeer(*origins_.back()).ReadHead()).contains("Range: bytes=0-0"));
        (void)co_await RawPeer(*origins_.back()).Send(part);
      }
      (void)co_await io::Sleep(kTooLargeTime - seconds{10});
      EXPECT_TRUE((co_await AskForRange(part)).contains("Range: bytes=0-0"));
      (void)co_await io::Sleep(seconds{10});
      EXPECT_FALSE((co_await AskForRange(whole)).contains("Range:"));
      origins_.clear();
    });
  }

  std::vector<std::unique_ptr<MemoryStream>> origins_;
};

TEST_F(TooLargeTest, EachRangeOfAnObjectThatIsTooLargeCostAnAbortedFetchOfTheWhole) {
  ExpectRemembered(
      "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nCache-Control: max-age=60\r\n\r\nnewest");
}

TEST_F(TooLargeTest, AnObjectOfUnknownLengthIsRememberedAsTooLargeToo) {
  ExpectRemembered(
      "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
      "Cache-Control: max-age=60\r\n\r\n6\r\nnewest\r\n0\r\n\r\n");
}

TEST_F(TooLargeTest, PartsThatTouchAreCombinedUpToTheLimit) {
  auto part = [](std::string range, std::string body) {
    return "HTTP/1.1 206 Part\r\nConnection: close\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\nContent-Range: bytes " + range +
           "/6\r\nETag: \"1\"\r\nCache-Control: max-age=60\r\n\r\n" + body;
  };
  RunScript([&]() -> io::Task<void> {
    (void)co_await AskForRange(
        "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nCache-Control: max-age=60\r\n\r\nnewest");
    origins_.push_back(co_await network_.Accept());
    (void)co_await RawPeer(*origins_.back()).ReadHead();
    (void)co_await RawPeer(*origins_.back()).Send(part("2-3", "we"));
    (void)co_await io::Sleep(seconds{1});
    for (const auto& [range, body] :
         std::vector<std::pair<std::string, std::string>>{{"0-1", "ne"}, {"3-5", "est"}}) {
      MemoryStream* visitor = co_await Visit("/x", "Range: bytes=" + range + "\r\n");
      origins_.push_back(co_await network_.Accept());
      const std::string head = co_await RawPeer(*origins_.back()).ReadHead();
      EXPECT_TRUE(head.contains("Range: bytes=" + range)) << head;
      (void)co_await RawPeer(*origins_.back()).Send(part(range, body));
      const std::string answer = co_await AnswerTo(visitor);
      EXPECT_TRUE(answer.contains("Content-Range: bytes " + range + "/6")) << answer;
      EXPECT_TRUE(answer.ends_with("\r\n\r\n" + body)) << answer;
      // Together they have four bytes, the limit; the next part would make six.
      const bool first = range == "0-1";
      const std::string hit = co_await AnswerTo(
          co_await Visit("/x", first ? "Range: bytes=1-2\r\n" : "Range: bytes=4-4\r\n"));
      EXPECT_TRUE(hit.contains("; hit") && hit.ends_with(first ? "ew" : "s")) << hit;
    }
    EXPECT_EQ(cache_.store().objects(), 1U);
    origins_.clear();
  });
}

TEST_F(CacheHandlerTest, APurgeMidPartKeepsItOutOfTheStore) {
  RunScript([&]() -> io::Task<void> {
    MemoryStream* first = co_await Visit("/x");
    auto origin = co_await Asked();
    (void)co_await RawPeer(*origin).Send(
        "HTTP/1.1 500 Oh\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    (void)co_await AnswerTo(first);
    MemoryStream* visitor = co_await Visit("/x", "Range: bytes=0-3\r\n");
    origin = co_await Asked();
    (void)co_await RawPeer(*origin).Send(
        "HTTP/1.1 206 Part\r\nContent-Length: 4\r\nContent-Range: bytes 0-3/6\r\n"
        "Cache-Control: max-age=60\r\n\r\nne");
    (void)co_await io::Sleep(seconds{1});
    Purge({.kind = PurgeOrder::kUrl, .value = "http://a/x"});
    (void)co_await RawPeer(*origin).Send("we");
    EXPECT_TRUE((co_await AnswerTo(visitor)).ends_with("newe"));
    EXPECT_EQ(cache_.store().objects(), 0U);
  });
}

}  // namespace
}  // namespace meridian::edge
