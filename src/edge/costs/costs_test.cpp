#include "edge/costs/costs.hpp"

#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/metrics.hpp"
#include "base/metrics_text.hpp"
#include "edge/fetch/cache_handler_fixture.hpp"
#include "edge/limits.hpp"
#include "site/limits.hpp"

namespace meridian::edge {
namespace {

using http::MemoryStream;
using http::RawPeer;
using site::CdnTraffic;
using std::chrono::seconds;
using testing::HasSubstr;

TEST(Costs, VisitorResponsesAreTheSumOfTheSources) {
  Metrics metrics;
  WastefulUrls wasteful;
  Costs costs(metrics, TimePoint{}, wasteful);
  costs.CountVisitor(ContentKind::kPng, Costs::Source::kCache, 100);
  costs.CountVisitor(ContentKind::kPng, Costs::Source::kConfirmed, 20);
  costs.CountVisitor(ContentKind::kPng, Costs::Source::kOrigin, 3);
  costs.CountFetch(ContentKind::kPng, false, 5);
  costs.CountFetch(ContentKind::kPng, true, 7);
  costs.CountVisitor(ContentKind::kOther, Costs::Source::kHere, 1);
  const site::CdnReport report =
      ReportCosts(std::to_array<const Costs*>({&costs}), wasteful, TimePoint{} + seconds{61});
  EXPECT_EQ(report.seconds, 61U);
  ASSERT_EQ(report.traffic.size(), 2U) << "kinds of which there was nothing are left out";
  // A validation saves the body, but not the request to the origin.
  EXPECT_EQ(report.traffic[0], (CdnTraffic{.type = "image/png",
                                           .to_visitors = {3, 123},
                                           .from_cache = {1, 120},
                                           .from_origin = {1, 5},
                                           .between = {1, 7}}));
  EXPECT_EQ(report.traffic[1].type, "other");
  EXPECT_THAT(
      MetricsText(metrics),
      HasSubstr("meridian_edge_visitor_bytes_total{type=\"image/png\",from=\"cache\"} 100\n"));
}

TEST(Costs, ReportedWastefulUrlsAreLimitedAndFitTheReadersLimits) {
  static_assert(kMaxWastefulUrlsReported <= site::kMaxCdnWastes);
  static_assert(kContentKinds <= site::kMaxCdnTypes);
  static_assert(kMaxWastefulUrlBytes * 3 <= site::kMaxCdnUrlBytes);  // U+FFFD for each byte
  Metrics metrics;
  WastefulUrls wasteful;
  Costs costs(metrics, TimePoint{}, wasteful);
  for (size_t i = 0; i <= kMaxWastefulUrlsReported; ++i) {
    std::string url = std::string(kMaxWastefulUrlBytes - 3, '\xff') + std::to_string(100 + i);
    costs.wasteful().Add(url, Waste::kIgnoresValidator, ContentKind::kHtml, 1);
  }
  const site::CdnReport report =
      ReportCosts(std::to_array<const Costs*>({&costs}), wasteful, TimePoint{});
  EXPECT_EQ(report.wastes.size(), kMaxWastefulUrlsReported);
  auto read = site::ReadCdnReport(ToJson(report));
  EXPECT_TRUE(read) << read.error().message;
}

TEST(ContentMark, IsOfTheETagElseOfLastModifiedAndLengthElseZero) {
  auto mark = [](std::string_view name, std::string_view value, uint64_t length) {
    wire::http::ResponseHead head;
    head.fields.Add(name, value);
    head.body = {.kind = wire::http::BodyFraming::Kind::kContentLength, .length = length};
    return ContentMark(head);
  };
  EXPECT_EQ(mark("ETag", "\"a\"", 1), mark("ETag", "\"a\"", 2));
  EXPECT_NE(mark("ETag", "\"a\"", 1), mark("ETag", "\"b\"", 1));
  EXPECT_EQ(mark("Last-Modified", "then", 1), mark("Last-Modified", "then", 1));
  EXPECT_NE(mark("Last-Modified", "then", 1), mark("Last-Modified", "then", 2));
  EXPECT_EQ(mark("Date", "then", 1), 0U);
}

class CostsOfRequests : public CacheHandlerFixture {
 protected:
  // Answers the next request of the edge with `head` and `body`.
  io::Task<void> Give(std::string head, std::string body = "body") {
    auto origin = co_await Asked();
    (void)co_await RawPeer(*origin).Send("HTTP/1.1 " + head + "\r\nConnection: close\r\n\r\n" +
                                         body);
    (void)co_await io::Sleep(seconds{1});
  }
  io::Task<void> Get(std::string path, std::string head, std::string body = "body") {
    MemoryStream* visitor = co_await Visit(path);
    co_await Give(std::move(head), std::move(body));
    (void)co_await AnswerTo(visitor);
  }
  CdnTraffic All() {
    CdnTraffic all;
    for (const CdnTraffic& each : Report().traffic) {
      all.to_visitors += each.to_visitors;
      all.from_cache += each.from_cache;
      all.from_origin += each.from_origin;
      all.between += each.between;
    }
    return all;
  }
  site::CdnReport Report() {
    return ReportCosts(std::to_array<const Costs*>({&cache_.costs()}), shared_.wasteful,
                       loop_.Now());
  }
  std::string Mend() {
    auto wastes = Report().wastes;
    return wastes.size() == 1 ? wastes[0].mend : std::to_string(wastes.size()) + " wastes";
  }
};

constexpr const char* kFresh =
    "200 OK\r\nContent-Length: 4\r\nContent-Type: image/png\r\nCache-Control: max-age=60";

TEST_F(CostsOfRequests, AMissIsFetchedOnceAndHitsAreSaved) {
  RunScript([&]() -> io::Task<void> {
    co_await Get("/x", kFresh);
    for (int i = 0; i < 3; ++i) (void)co_await AnswerTo(co_await Visit("/x"));
    const CdnTraffic all = All();
    EXPECT_EQ(all.to_visitors.requests, 4U);
    EXPECT_EQ(all.from_cache.requests, 3U);
    EXPECT_EQ(all.from_origin.requests, 1U);
    EXPECT_GE(all.from_cache.bytes, 3 * all.from_origin.bytes);
    EXPECT_EQ(Report().traffic.at(0).type, "image/png");
    EXPECT_TRUE(Report().wastes.empty());
  });
}

TEST_F(CostsOfRequests, ACollapsedRequestSavesAFetch) {
  RunScript([&]() -> io::Task<void> {
    MemoryStream* first = co_await Visit("/x");
    MemoryStream* second = co_await Visit("/x");
    co_await Give(kFresh);
    (void)co_await AnswerTo(first);
    (void)co_await AnswerTo(second);
    EXPECT_EQ(All().to_visitors.requests, 2U);
    EXPECT_EQ(All().from_cache.requests, 1U);
    EXPECT_EQ(All().from_origin.requests, 1U);
  });
}

TEST_F(CostsOfRequests, AHeadThatMissesIsOneRequestToTheOrigin) {
  RunScript([&]() -> io::Task<void> {
    visitors_.push_back(Connect());
    MemoryStream* visitor = visitors_.back().get();
    (void)co_await RawPeer(*visitor).Send(
        "HEAD /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    co_await Give(kFresh, "");
    (void)co_await AnswerTo(visitor);
    (void)co_await io::Sleep(seconds{1});
    EXPECT_EQ(All().to_visitors.requests, 1U);
    EXPECT_EQ(All().from_origin.requests, 1U);
    EXPECT_EQ(All().from_cache.requests, 0U);
  });
}

TEST_F(CostsOfRequests, AValidatedBodyIsFromTheCacheButItsRequestIsNotSaved) {
  RunScript([&]() -> io::Task<void> {
    co_await Get("/x", std::string(kFresh) + "\r\nETag: \"a\"");
    (void)co_await io::Sleep(seconds{100});
    co_await Get("/x", "304 Not Modified\r\nETag: \"a\"\r\nCache-Control: max-age=60", "");
    EXPECT_EQ(All().from_cache.requests, 0U);
    EXPECT_GT(All().from_cache.bytes, 0U);
    EXPECT_EQ(All().from_origin.requests, 2U);
    EXPECT_EQ(Mend(), "Cache-Control: public, max-age=86400");
    EXPECT_EQ(Report().wastes.at(0).wasted.bytes, 0U);
  });
}

TEST_F(CostsOfRequests, ABackgroundFetchIsCountedAndJudgedToo) {
  const std::string head = std::string(kFresh) + ", stale-while-revalidate=1000\r\nETag: \"a\"";
  RunScript([&]() -> io::Task<void> {
    co_await Get("/x", head);
    (void)co_await io::Sleep(seconds{100});
    (void)co_await AnswerTo(co_await Visit("/x"));
    co_await Give("304 Not Modified\r\nETag: \"a\"", "");
    EXPECT_EQ(All().from_cache.requests, 1U);
    EXPECT_EQ(All().from_origin.requests, 2U);
    EXPECT_EQ(Mend(), "Cache-Control: public, max-age=86400");
  });
}

TEST_F(CostsOfRequests, AResponseMadeStaleByASoftPurgeIsNotShortLived) {
  const std::string head =
      "200 OK\r\nContent-Length: 4\r\nContent-Type: image/png\r\nCache-Control: max-age=86400\r\n"
      "ETag: \"a\"";
  RunScript([&]() -> io::Task<void> {
    co_await Get("/x", head);
    Purge({.kind = PurgeOrder::kPrefix, .value = "/", .soft = true});
    (void)co_await io::Sleep(seconds{1});
    co_await Get("/x", "304 Not Modified\r\nETag: \"a\"\r\nCache-Control: max-age=86400", "");
    EXPECT_EQ(Mend(), "0 wastes");
  });
}

TEST_F(CostsOfRequests, AFailingOriginIsNoWasteAndTheEdgeMakesTheAnswer) {
  upstream_.Leave();
  RunScript([&]() -> io::Task<void> {
    (void)co_await AnswerTo(co_await Visit("/x"));
    EXPECT_EQ(All().to_visitors.requests, 1U);
    EXPECT_EQ(All().from_cache.requests + All().from_origin.requests, 0U);
    EXPECT_EQ(Mend(), "0 wastes");
  });
}

TEST_F(CostsOfRequests, AChangingPageIsNoWasteAndAnUnchangedPageIs) {
  auto page = [](std::string etag) {
    return "200 OK\r\nContent-Length: 4\r\nContent-Type: text/html\r\nETag: " + etag;
  };
  RunScript([&]() -> io::Task<void> {
    for (int i = 0; i < 3; ++i) co_await Get("/changes", page("\"" + std::to_string(i) + "\""));
    EXPECT_EQ(Mend(), "0 wastes");
    for (int i = 0; i < 2; ++i) co_await Get("/stays", page("\"same\""));
    EXPECT_EQ(Mend(), "Cache-Control: public, max-age=60 (if all visitors may see it)");
    EXPECT_EQ(Report().wastes.at(0).url, "http://a/stays");
    EXPECT_EQ(Report().wastes.at(0).wasted.requests, 1U) << "the first had to be fetched";
  });
}

}  // namespace
}  // namespace meridian::edge
