// Cache-Status, ranges, invalidation.
#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "edge/cache/cache_status.hpp"
#include "edge/cache/invalidation.hpp"
#include "edge/cache/message_fixture.hpp"
#include "edge/cache/range_answer.hpp"
#include "wire/http/fields/structured_field.hpp"

namespace meridian::edge {
namespace {

using namespace std::chrono_literals;
using RangeKind = wire::http::RangeOutcome::Kind;

std::string Text(const CacheStatus& status) { return std::string(CacheStatusText(status).text()); }

TEST(CacheStatus, HasHitAndTheRestOfTheLifetime) {
  EXPECT_EQ(Text({.hit = true, .ttl = 376s}), "meridian-edge; hit; ttl=376");
  EXPECT_EQ(Text({.hit = true, .ttl = -412s - 1ms}), "meridian-edge; hit; ttl=-413");
}

TEST(CacheStatus, HasWhyARequestWasForwardedAndWhetherItsResponseWasStored) {
  EXPECT_EQ(Text({.forwarded = Forwarded::kUriMiss, .stored = true, .collapsed = true}),
            "meridian-edge; fwd=uri-miss; stored; collapsed");
  EXPECT_EQ(Text({.forwarded = Forwarded::kStale, .forward_status = 304}),
            "meridian-edge; fwd=stale; fwd-status=304");
}

TEST(CacheStatus, IsAStructuredListAtItsMaximumLengthToo) {
  CacheStatus longest{.hit = true,
                      .forwarded = Forwarded::kVaryMiss,
                      .forward_status = 504,
                      .ttl = Duration::min(),
                      .stored = true,
                      .collapsed = true,
                      .detail = "a-detail-that-is-longer-than-any-of-ours"};
  EXPECT_TRUE(wire::http::ParseStructuredList(Text(longest)));
}

constexpr std::string_view kModified = "Sat, 21 Nov 2026 09:00:00 GMT";
constexpr std::string_view kDate = "Sat, 21 Nov 2026 10:00:00 GMT";
const Validators kStored = {.etag = "\"v1\"", .last_modified = kModified, .date = kDate};

RangeKind Plan(std::initializer_list<wire::http::HeaderField> fields,
               const Validators& stored = kStored) {
  return PlanRange(ReadCacheRequest(Get("/", fields)), stored, 10, WallTime{}).kind;
}

TEST(RangeAnswer, IsPartsOfAGetAndNeverOfAHead) {
  EXPECT_EQ(Plan({{"Range", "bytes=0-1"}}), RangeKind::kParts);
  EXPECT_EQ(Plan({{"Range", "bytes=10-"}}), RangeKind::kUnsatisfiable);
  wire::http::RequestHead head = Get("/", {{"Range", "bytes=0-1"}});
  head.method = "HEAD";
  EXPECT_EQ(PlanRange(ReadCacheRequest(head), kStored, 10, WallTime{}).kind, RangeKind::kWhole);
}

TEST(RangeAnswer, IfRangeComparesStronglyAndElseTheWholeIsSent) {
  EXPECT_EQ(Plan({{"Range", "bytes=0-1"}, {"If-Range", "\"v1\""}}), RangeKind::kParts);
  EXPECT_EQ(Plan({{"Range", "bytes=0-1"}, {"If-Range", "\"v2\""}}), RangeKind::kWhole);
  EXPECT_EQ(Plan({{"Range", "bytes=0-1"}, {"If-Range", "W/\"v1\""}}), RangeKind::kWhole);
  EXPECT_EQ(Plan({{"Range", "bytes=0-1"}, {"If-Range", "W/\"v1\""}}, {.etag = "W/\"v1\""}),
            RangeKind::kWhole);
}

TEST(RangeAnswer, AnIfRangeDateMustBeExactAndAStrongValidator) {
  EXPECT_EQ(Plan({{"Range", "bytes=0-1"}, {"If-Range", kModified}}), RangeKind::kParts);
  EXPECT_EQ(Plan({{"Range", "bytes=0-1"}, {"If-Range", kDate}}), RangeKind::kWhole);
  EXPECT_EQ(
      Plan({{"Range", "bytes=0-1"}, {"If-Range", kDate}}, {.last_modified = kDate, .date = kDate}),
      RangeKind::kWhole);
}

TEST(RangeAnswer, SeveralPartsAreMultipartByteranges) {
  auto plan =
      PlanRange(ReadCacheRequest(Get("/", {{"Range", "bytes=0-1,5-6"}})), kStored, 10, WallTime{});
  Multipart multipart = MakeMultipart(plan, "text/plain", 10, 0xabc);
  EXPECT_EQ(multipart.content_type, "multipart/byteranges; boundary=meridian0000000000000abc");
  EXPECT_EQ(multipart.headers[1],
            "\r\n--meridian0000000000000abc\r\nContent-Type: text/plain\r\n"
            "Content-Range: bytes 5-6/10\r\n\r\n");
  EXPECT_EQ(multipart.end, "\r\n--meridian0000000000000abc--\r\n");
  EXPECT_EQ(multipart.length, multipart.headers[0].size() + 2 + multipart.headers[1].size() + 2 +
                                  multipart.end.size());
}

std::string Targets(std::initializer_list<wire::http::HeaderField> response) {
  std::string all;
  for (const auto& target : InvalidatedTargets(Get("/a/b?c"), false, Fields(response))) {
    all += target.path + (target.query ? "?" + *target.query : "") + " ";
  }
  return all;
}

TEST(Invalidation, TheContentLocationOfAnAnswerIsOrIsNotItsOwnTarget) {
  auto own = [](std::string_view location) {
    return IsContentOfTarget(Get("/a/b?c"), false, Fields({{"Content-Location", location}}));
  };
  for (const char* same : {"/a/b?c", "b?c", "?c", "http://photos.example/a/b?c", "/a/./b?c"}) {
    EXPECT_TRUE(own(same)) << same;
  }
  for (const char* other : {"", "/a/b", "/a/b?", "/a/B?c", "https://photos.example/a/b?c",
                            "http://evil.example/a/b?c", "//evil.example/a/b?c"}) {
    EXPECT_FALSE(own(other)) << other;
  }
  EXPECT_FALSE(IsContentOfTarget(Get("/a"), false, {}));
}

TEST(Invalidation, IsByUnsafeMethodsWithoutAnError) {
  EXPECT_TRUE(Invalidates("POST", 200));
  EXPECT_TRUE(Invalidates("DELETE", 303));
  EXPECT_TRUE(Invalidates("UNKNOWN", 204));
  EXPECT_FALSE(Invalidates("POST", 404));
  EXPECT_FALSE(Invalidates("PUT", 500));
  EXPECT_FALSE(Invalidates("OPTIONS", 200));
}

TEST(Invalidation, IsOfTheTargetAndOfLocationsInTheSameOrigin) {
  EXPECT_EQ(Targets({}), "/a/b?c ");
  EXPECT_EQ(Targets({{"Location", "/x"}, {"Content-Location", "../y?z"}}), "/a/b?c /x /y?z ");
  EXPECT_EQ(Targets({{"Location", "http://PHOTOS.example:80/x"}}), "/a/b?c /x ");
  EXPECT_EQ(Targets({{"Location", "//photos.example/x#f"}}), "/a/b?c /x ");
  EXPECT_EQ(Targets({{"Location", "d"}}), "/a/b?c /a/d ");
  EXPECT_EQ(Targets({{"Location", "?q"}}), "/a/b?c /a/b?q ");
  EXPECT_EQ(Targets({{"Location", "http://photos.example"}}), "/a/b?c / ");
}

TEST(Invalidation, AnotherOriginIsNotInvalidated) {
  EXPECT_EQ(Targets({{"Location", "http://other.example/x"}}), "/a/b?c ");
  EXPECT_EQ(Targets({{"Location", "https://photos.example/x"}}), "/a/b?c ");
  EXPECT_EQ(Targets({{"Location", "http://photos.example:8080/x"}}), "/a/b?c ");
  EXPECT_EQ(Targets({{"Location", "mailto:a@b"}}), "/a/b?c ");
}

}  // namespace
}  // namespace meridian::edge
