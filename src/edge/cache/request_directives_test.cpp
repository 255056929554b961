#include "edge/cache/request_directives.hpp"

#include <chrono>

#include <gtest/gtest.h>

#include "edge/cache/message_fixture.hpp"

namespace meridian::edge {
namespace {

using namespace std::chrono_literals;

TEST(RequestDirectives, AreReadFromAGetOrHead) {
  CacheRequest asked = ReadCacheRequest(Get("/", {{"cache-control", "max-age=5"},
                                                  {"RANGE", "bytes=0-1"},
                                                  {"if-range", "\"a\""},
                                                  {"If-None-Match", "\"b\""},
                                                  {"authorization", "Basic x"}}));
  EXPECT_EQ(asked.bypass, Bypass::kNone);
  EXPECT_EQ(asked.control.max_age, 5s);
  EXPECT_EQ(asked.range, "bytes=0-1");
  EXPECT_EQ(asked.if_range, "\"a\"");
  EXPECT_EQ(asked.if_none_match, "\"b\"");
  EXPECT_TRUE(asked.authorized);
  wire::http::RequestHead head = Get("/");
  head.method = "HEAD";
  EXPECT_TRUE(ReadCacheRequest(head).head);
}

TEST(RequestDirectives, OfTwoRangesTheLastWasTaken) {
  EXPECT_EQ(ReadCacheRequest(Get("/", {{"Range", "bytes=0-1"}, {"Range", "bytes=2-3"}})).range, "");
}

TEST(RequestDirectives, OtherMethodsBypassTheCache) {
  wire::http::RequestHead head = Get("/");
  for (const char* method : {"POST", "PUT", "get", "OPTIONS", "PURGE"}) {
    head.method = method;
    EXPECT_EQ(ReadCacheRequest(head).bypass, Bypass::kMethod) << method;
  }
}

TEST(RequestDirectives, AGetWithABodyBypassesTheCache) {
  wire::http::RequestHead head = Get("/");
  head.body = {wire::http::BodyFraming::Kind::kContentLength, 3};
  EXPECT_EQ(ReadCacheRequest(head).bypass, Bypass::kBody);
  head.body = {wire::http::BodyFraming::Kind::kChunked, 0};
  EXPECT_EQ(ReadCacheRequest(head).bypass, Bypass::kBody);
  head.body = {wire::http::BodyFraming::Kind::kContentLength, 0};
  EXPECT_EQ(ReadCacheRequest(head).bypass, Bypass::kNone);
}

TEST(RequestDirectives, AFieldThatTheOriginDoesNotGetSelectsNoVariant) {
  wire::http::RequestHead head = Get("/", {{"X-Device", "phone"}, {"Connection", "X-Device"}});
  head.nominates_fields = true;
  EXPECT_EQ(ReadCacheRequest(head).bypass, Bypass::kNomination);
}

TEST(RequestDirectives, ACacheMustNotEvaluateConditionsThatAreForTheOriginServer) {
  EXPECT_EQ(ReadCacheRequest(Get("/", {{"If-Match", "\"a\""}})).bypass, Bypass::kPrecondition);
  EXPECT_EQ(ReadCacheRequest(Get("/", {{"If-Unmodified-Since", "x"}})).bypass,
            Bypass::kPrecondition);
}

TEST(RequestDirectives, AnUpgradeBypassesTheCache) {
  wire::http::RequestHead head = Get("/");
  head.upgrade = "websocket";
  EXPECT_EQ(ReadCacheRequest(head).bypass, Bypass::kUpgrade);
}

}  // namespace
}  // namespace meridian::edge
