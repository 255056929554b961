// Storing, freshening and serving stale by the settings and RFC 9111: the cases that need simulated
// time or an exact order of events.
#include <chrono>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "edge/fetch/cache_handler_fixture.hpp"

namespace meridian::edge {
namespace {

using http::MemoryStream;
using http::RawPeer;
using std::chrono::seconds;

class CacheRulesTest : public CacheHandlerFixture {};

TEST_F(CacheRulesTest, AStorableErrorReplacedAResponseRevalidatedInTheBackground) {
  RunScript([&]() -> io::Task<void> {
    MemoryStream* visitor = co_await Visit("/x");
    auto origin = co_await Asked();
    (void)co_await RawPeer(*origin).Send(
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\nCache-Control: max-age=1, "
        "stale-while-revalidate=60, stale-if-error=60\r\n\r\ngood");
    EXPECT_TRUE((co_await AnswerTo(visitor)).ends_with("good"));
    (void)co_await io::Sleep(seconds{2});
    EXPECT_TRUE((co_await AnswerTo(co_await Visit("/x"))).ends_with("good"));
    origin = co_await Asked();
    (void)co_await RawPeer(*origin).Send(
        "HTTP/1.1 503 Oh\r\nContent-Length: 3\r\nCache-Control: max-age=60\r\n\r\nbad");
    (void)co_await io::Sleep(seconds{1});
    EXPECT_TRUE((co_await AnswerTo(co_await Visit("/x"))).ends_with("good"));
    (void)co_await network_.Accept();
  });
}

TEST_F(CacheRulesTest, AStaleResponseIsServedOnFailureForStaleOnFailure) {
  RunScript([&]() -> io::Task<void> {
    MemoryStream* visitor = co_await Visit("/x");
    auto origin = co_await Asked();
    (void)co_await RawPeer(*origin).Send(
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n"
        "Cache-Control: max-age=1\r\n\r\ngood");
    EXPECT_TRUE((co_await AnswerTo(visitor)).ends_with("good"));
    const Duration limit = config_.cache.stale_on_failure;
    for (Duration wait : {Duration{limit - seconds{10}}, Duration{seconds{20}}}) {
      (void)co_await io::Sleep(wait);
      visitor = co_await Visit("/x");
      origin = co_await Asked();
      (void)co_await RawPeer(*origin).Send(
          "HTTP/1.1 503 Oh\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbad");
      const std::string answer = co_await AnswerTo(visitor);
      EXPECT_TRUE(answer.ends_with(wait > seconds{20} ? "good" : "bad")) << answer;
    }
  });
}

TEST_F(CacheRulesTest, AnUnsafeRequestDuringAHeadKeepsTheFreshenedResponseOutOfTheStore) {
  RunScript([&]() -> io::Task<void> {
    MemoryStream* first = co_await Visit("/x");
    auto origin = co_await Asked();
    const std::string head =
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\nETag: \"1\"\r\n"
        "Cache-Control: max-age=1\r\n\r\n";
    (void)co_await RawPeer(*origin).Send(head + "old");
    EXPECT_TRUE((co_await AnswerTo(first)).ends_with("old"));
    (void)co_await io::Sleep(seconds{2});
    visitors_.push_back(Connect());
    MemoryStream* header = visitors_.back().get();
    (void)co_await RawPeer(*header).Send(
        "HEAD /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    origin = co_await Asked();
    visitors_.push_back(Connect());
    MemoryStream* writer = visitors_.back().get();
    (void)co_await RawPeer(*writer).Send(
        "DELETE /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    auto write_origin = co_await Asked();
    (void)co_await RawPeer(*write_origin).Send("HTTP/1.1 204 No Content\r\n\r\n");
    EXPECT_TRUE((co_await AnswerTo(writer)).starts_with("HTTP/1.1 204"));
    (void)co_await RawPeer(*origin).Send(head);
    EXPECT_TRUE((co_await AnswerTo(header)).starts_with("HTTP/1.1 200"));
    EXPECT_EQ(cache_.store().objects(), 0U);
  });
}

TEST_F(CacheRulesTest, AnUnsafeRequestDuringAPostKeepsItsResponseOutOfTheStore) {
  RunScript([&]() -> io::Task<void> {
    MemoryStream* poster = co_await Ask("POST", "/x");
    auto origin = co_await Asked();
    (void)co_await RawPeer(*origin).Send(
        "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nContent-Location: /x\r\n"
        "Cache-Control: max-age=60\r\n\r\nold");
    (void)co_await io::Sleep(seconds{1});
    co_await Delete("/x");
    (void)co_await RawPeer(*origin).Send("est");
    EXPECT_TRUE((co_await AnswerTo(poster)).ends_with("oldest"));
    EXPECT_EQ(cache_.store().objects(), 0U);
  });
}

TEST_F(CacheRulesTest, AnAnswerToAPostIsStoredOnlyWhenAllOfThePostWasSent) {
  RunScript([&]() -> io::Task<void> {
    for (const bool whole : {false, true}) {
      visitors_.push_back(Connect());
      MemoryStream* poster = visitors_.back().get();
      const std::string length = whole ? "6" : "100000";
      (void)co_await RawPeer(*poster).Send(
          "POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: " + length +
          "\r\n\r\nabc");
      auto origin = co_await Asked();
      if (whole) (void)co_await RawPeer(*poster).Send("def");
      (void)co_await io::Sleep(seconds{1});
      (void)co_await RawPeer(*origin).Send(
          "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\nContent-Location: /x\r\n"
          "Cache-Control: max-age=60\r\n\r\nposted");
      EXPECT_TRUE((co_await AnswerTo(poster)).ends_with("posted"));
      EXPECT_EQ(cache_.store().objects(), whole ? 1U : 0U);
    }
  });
}

class StoreNoErrorsTest : public CacheRulesTest {
 protected:
  StoreNoErrorsTest() { config_.cache.store_errors = false; }
};

TEST_F(StoreNoErrorsTest, AnErrorOfTheServerIsNotStored) {
  RunScript([&]() -> io::Task<void> {
    for (int visits = 0; visits < 2; ++visits) {
      MemoryStream* visitor = co_await Visit("/x");
      auto origin = co_await Asked();
      (void)co_await RawPeer(*origin).Send(
          "HTTP/1.1 503 Oh\r\nConnection: close\r\nContent-Length: 3\r\n"
          "Cache-Control: max-age=60\r\n\r\nbad");
      EXPECT_TRUE((co_await AnswerTo(visitor)).contains("detail=status"));
    }
    EXPECT_EQ(cache_.store().objects(), 0U);
  });
}

class StoreSetCookieTest : public CacheRulesTest {
 protected:
  StoreSetCookieTest() { config_.cache.store_set_cookie = true; }
};

TEST_F(StoreSetCookieTest, APublicAnswerIsStoredWithItsCookieAndAnotherIsNot) {
  RunScript([&]() -> io::Task<void> {
    for (const std::string control : {"public, max-age=60", "max-age=60"}) {
      const std::string path = control.starts_with("public") ? "/public" : "/mine";
      MemoryStream* visitor = co_await Visit(path);
      auto origin = co_await Asked();
      (void)co_await RawPeer(*origin).Send(
          "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\nSet-Cookie: a=b\r\n"
          "Cache-Control: " +
          control + "\r\n\r\nyes");
      EXPECT_TRUE((co_await AnswerTo(visitor)).contains("Set-Cookie: a=b"));
    }
    const std::string hit = co_await AnswerTo(co_await Visit("/public"));
    EXPECT_TRUE(hit.contains("; hit") && hit.contains("Set-Cookie: a=b")) << hit;
    EXPECT_EQ(cache_.store().objects(), 1U);
  });
}

class CdnHostCacheTest : public CacheRulesTest {
 protected:
  CdnHostCacheTest() {
    handler_ = [this](http::Exchange& exchange) { return cache_of_cdn_.Handle(exchange, {}); };
  }

  Metrics metrics_of_cdn_;
  SharedCache shared_of_cdn_{config_, 42, 1};
  CacheHandler cache_of_cdn_{{.loop = loop_,
                              .scope = scope_,
                              .shared = shared_of_cdn_,
                              .forwarder = forwarder_,
                              .metrics = metrics_of_cdn_,
                              .config = config_,
                              .default_host = "a",
                              .cdn_domain = "a",
                              .here = "here"}};
};

TEST_F(CdnHostCacheTest, AResponseWithSetCookieIsStoredWithoutIt) {
  RunScript([&]() -> io::Task<void> {
    auto ask = [&]() -> io::Task<MemoryStream*> {
      visitors_.push_back(Connect());
      (void)co_await RawPeer(*visitors_.back())
          .Send("GET /images/a HTTP/1.1\r\nHost: cdn.a\r\nConnection: close\r\n\r\n");
      co_return visitors_.back().get();
    };
    MemoryStream* first = co_await ask();
    auto origin = co_await Asked();
    (void)co_await RawPeer(*origin).Send(
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nSet-Cookie: a=b\r\n"
        "Cache-Control: public, max-age=60\r\n\r\nyes");
    EXPECT_FALSE((co_await AnswerTo(first)).contains("Set-Cookie"));
    const std::string hit = co_await AnswerTo(co_await ask());
    EXPECT_TRUE(hit.contains("; hit") && !hit.contains("Set-Cookie")) << hit;
  });
}

}  // namespace
}  // namespace meridian::edge
