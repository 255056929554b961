#include "lab/link_status.hpp"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "base/result.hpp"
#include "lab/link_table.hpp"
#include "site/site.hpp"

namespace meridian::lab {
namespace {

using std::chrono::milliseconds;
using Kind = LinkOrder::Kind;

LinkTable TwoDataCenters() {
  site::Site site;
  site.datacenters = {{.name = "us-east"}, {.name = "us-west"}};
  return LinkTable(site);
}

TEST(LinkStatus, WhatIsSaidOfALinkIsReadBack) {
  LinkTable table = TwoDataCenters();
  ASSERT_TRUE(table.Apply(
      "us-east", "us-west",
      {.round_trip = milliseconds(70), .jitter = milliseconds(5), .bits_per_second = 100'000'000}));
  ASSERT_TRUE(table.Apply("us-west", "us-east", {.kind = Kind::kHalfCut}));
  table.DirectionFrom("us-east", "us-west").OnCarried(17);
  auto links = DecodeLinks(EncodeLinks(StatusOf(table)));
  ASSERT_TRUE(links) << links.error().message;
  ASSERT_EQ(links->size(), 1u);
  const LinkStatus& link = links->front();
  EXPECT_EQ(link.a + " " + link.b, "us-east us-west");
  EXPECT_EQ(link.latency_ms, 70);
  EXPECT_EQ(link.jitter_ms, 5);
  EXPECT_EQ(link.rate_bits, 100'000'000u);
  EXPECT_EQ(link.state + " " + link.silent, "half-cut us-west");
  EXPECT_EQ(link.bytes_from_a, 17u);
  EXPECT_EQ(link.bytes_from_b, 0u);
}

TEST(LinkStatus, StatesOfACutAndOfAHealedLinkAreNamed) {
  LinkTable table = TwoDataCenters();
  EXPECT_EQ(StatusOf(table).front().state, "up");
  ASSERT_TRUE(table.Apply("us-east", "us-west", {.kind = Kind::kCut}));
  EXPECT_EQ(StatusOf(table).front().state, "cut");
  EXPECT_EQ(StatusOf(table).front().silent, "");
}

TEST(LinkStatus, WhatTheLabDoesNotWriteIsRefused) {
  for (const char* text : {"", "[]", "{}", R"({"links":{}})", R"({"links":[{}]})",
                           R"({"links":[{"a":1,"b":"x","state":"up"}]})"}) {
    EXPECT_EQ(DecodeLinks(text).error().code, Errc::kInvalid) << text;
  }
}

Result<LinkRequest> ThereAndBack(const LinkOrder& order) {
  std::string text = EncodeRequest({.from = "us-east", .to = "us-west", .order = order});
  size_t mark = text.find('?');
  return DecodeRequest(text.substr(0, mark), mark == text.npos ? "" : text.substr(mark + 1));
}

TEST(LinkStatus, OrdersArriveAsTheyWereGiven) {
  for (Kind kind : {Kind::kSet, Kind::kCut, Kind::kHalfCut, Kind::kHeal}) {
    auto read = ThereAndBack({.kind = kind});
    ASSERT_TRUE(read);
    EXPECT_EQ(read->order.kind, kind);
    EXPECT_FALSE(read->order.round_trip || read->order.jitter || read->order.bits_per_second);
  }
  auto read = ThereAndBack(
      {.round_trip = milliseconds(70), .jitter = milliseconds(5), .bits_per_second = 0});
  ASSERT_TRUE(read);
  EXPECT_EQ(read->from + " " + read->to, "us-east us-west");
  EXPECT_EQ(read->order.round_trip, milliseconds(70));
  EXPECT_EQ(read->order.jitter, milliseconds(5));
  EXPECT_EQ(read->order.bits_per_second, 0u);
}

TEST(LinkStatus, RequestsThatMeanNothingAreRefused) {
  for (const char* path : {"/links", "/links/", "/links/a/b", "/links/a/b/mend", "/links/a/cut"}) {
    EXPECT_EQ(DecodeRequest(path, "").error().code, Errc::kNotFound) << path;
  }
  for (const char* query : {"latency_us", "latency_us=", "latency_us=-1", "latency_us=7x",
                            "jitter_us=99999999999999999999", "color=1"}) {
    EXPECT_EQ(DecodeRequest("/links/a/b/set", query).error().code, Errc::kInvalid) << query;
  }
}

}  // namespace
}  // namespace meridian::lab
