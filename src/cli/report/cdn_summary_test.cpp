#include "cli/report/cdn_summary.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/json/value.hpp"
#include "wire/json/writer.hpp"

namespace meridian::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr uint64_t kGigabyte = 1'000'000'000;

// An edge's image traffic: `given` requests of 1 GB each, of which it fetched `fetched`, from
// another data center if `crosses`.
site::CdnReport Images(uint64_t given, uint64_t fetched, bool crosses = false) {
  site::CdnTraffic traffic{.type = "image/png",
                           .to_visitors = {given, given * kGigabyte},
                           .from_cache = {given - fetched, (given - fetched) * kGigabyte}};
  (crosses ? traffic.between : traffic.from_origin) = {fetched, fetched * kGigabyte};
  return {.seconds = 60, .traffic = {traffic}};
}

site::CdnWaste WasteOf(std::string url, uint64_t requests, uint64_t bytes) {
  return {.url = std::move(url),
          .kind = "no-freshness",
          .wrong = "does not say how long it is fresh",
          .mend = "Cache-Control: public, max-age=86400",
          .wasted = {requests, bytes}};
}

const edge::Prices kPrices{.currency = "EUR",
                           .per_gb_to_visitors = 0.5,
                           .per_gb_from_origin = 0.25,
                           .per_gb_between = 2,
                           .per_million_requests = 1'000'000};

TEST(CdnSummary, OfNothingIsNothing) {
  const CdnSummary summary = SummarizeCdn({{.name = "us-east", .problem = "gone"}}, kPrices);
  EXPECT_EQ(summary.hit_ratio(), 0);
  EXPECT_EQ(summary.cost, 0);
  EXPECT_TRUE(summary.by_type.empty());
}

TEST(CdnSummary, AddsUpEdgesAndWhatACacheSavesIsWhatWasNotFetched) {
  const CdnSummary summary = SummarizeCdn({{.name = "us-east", .report = Images(10, 1)},
                                           {.name = "us-west", .report = Images(10, 4)},
                                           {.name = "eu-west", .problem = "gone"}},
                                          kPrices);
  EXPECT_EQ(summary.total.to_visitors.requests, 20U);
  EXPECT_DOUBLE_EQ(summary.hit_ratio(), 0.75);
  EXPECT_DOUBLE_EQ(summary.byte_hit_ratio(), 0.75);
  EXPECT_EQ(summary.saved_requests, 15);
  EXPECT_EQ(summary.saved_bytes, static_cast<int64_t>(15 * kGigabyte));
  EXPECT_DOUBLE_EQ(summary.cost, (20 * 0.5) + (5 * 0.25) + 20);
  EXPECT_DOUBLE_EQ(summary.saved, 15 * 0.25);
  ASSERT_EQ(summary.by_type.size(), 1U);
  EXPECT_EQ(summary.by_type[0].type, "image/png");
}

TEST(CdnSummary, WhatAPlaceWithoutOriginSavesItSavesBetweenDataCenters) {
  const CdnSummary summary =
      SummarizeCdn({{.name = "london", .edge_only = true, .report = Images(10, 1, true)}}, kPrices);
  EXPECT_DOUBLE_EQ(summary.cost, (10 * 0.5) + 2 + 10);
  EXPECT_DOUBLE_EQ(summary.saved, 9 * 2.0);
}

TEST(CdnSummary, MoreMayBeFetchedThanGivenOut) {
  site::CdnReport report = Images(1, 0);
  report.traffic[0].from_origin = {3, 3 * kGigabyte};
  const CdnSummary summary = SummarizeCdn({{.name = "us-east", .report = report}}, kPrices);
  EXPECT_EQ(summary.saved_requests, -2);
  EXPECT_DOUBLE_EQ(summary.saved, -0.5);
}

TEST(CdnSummary, AUrlThatSeveralEdgesNameIsOneAndTenAreShown) {
  site::CdnReport east = Images(1, 1);
  site::CdnReport west = Images(1, 1);
  east.wastes = {WasteOf("http://a/first", 1, 6000), WasteOf("http://a/both", 2, 3000)};
  west.wastes = {WasteOf("http://a/both", 1, 4000)};
  for (size_t i = 0; i < kWastesShown; ++i) {
    west.wastes.push_back(WasteOf("http://a/" + std::to_string(i), 1, 10));
  }
  const CdnSummary summary =
      SummarizeCdn({{.name = "us-east", .report = east}, {.name = "us-west", .report = west}}, {});
  ASSERT_EQ(summary.wastes.size(), kWastesShown);
  EXPECT_EQ(summary.wastes[0].url, "http://a/both");
  EXPECT_EQ(summary.wastes[0].wasted, (site::CdnAmount{3, 7000}));
  EXPECT_EQ(summary.wastes[1].url, "http://a/first");
}

TEST(CdnText, SaysWhoIsNotInItAndWhatWouldMend) {
  site::CdnReport report = Images(10, 1);
  report.wastes = {WasteOf("http://photos.example/logo.png", 3, 4500)};
  const std::vector<CdnEdge> edges = {
      {.name = "us-east", .report = report},
      {.name = "us-west", .problem = "its agent does not answer (refused)"}};
  EXPECT_EQ(CdnText(SummarizeCdn(edges, kPrices), edges, kPrices),
            "us-east  for 60 s\n"
            "us-west  is not in this: its agent does not answer (refused)\n"
            "\n"
            "to visitors                   10 requests     10.0 GB\n"
            "from the cache                 9 requests      9.0 GB\n"
            "from the origin                1 requests      1.0 GB\n"
            "between data centers           0 requests         0 B\n"
            "hits                       90.0% of requests, 90.0% of bytes\n"
            "saved                          9 requests      9.0 GB\n"
            "cost                       15.25 EUR; without the cache 17.50: saved 2.25\n"
            "\n"
            "type                requests to visitors    hits from origin     between\n"
            "image/png                 10     10.0 GB   90.0%      1.0 GB         0 B\n"
            "\n"
            "URLs whose headers waste most:\n"
            "  http://photos.example/logo.png\n"
            "    3 requests and 4.5 kB wasted: it does not say how long it is fresh\n"
            "    Cache-Control: public, max-age=86400\n");
}

TEST(CdnText, WithoutPricesItSaysWhereTheyGoAndWithoutVisitorsThereIsNoRatio) {
  const std::vector<CdnEdge> edges = {{.name = "us-east", .report = site::CdnReport{}}};
  const edge::Prices prices{.currency = "EUR"};
  const std::string text = CdnText(SummarizeCdn(edges, prices), edges, prices);
  EXPECT_THAT(text, HasSubstr("There are no prices: give them in [edge.cost] of site.toml.\n"));
  EXPECT_THAT(text, HasSubstr("- of requests"));
  EXPECT_THAT(text, HasSubstr("No URL's headers waste anything that was seen.\n"));
  EXPECT_THAT(text, Not(HasSubstr("EUR")));
}

TEST(CdnText, WhatIsLessThanOneIsShownToTheMillionth) {
  const edge::Prices prices{.currency = "EUR", .per_gb_to_visitors = 0.01};
  const std::vector<CdnEdge> edges = {{.name = "us-east", .report = Images(1, 1)}};
  EXPECT_THAT(CdnText(SummarizeCdn(edges, prices), edges, prices),
              HasSubstr("  0.010000 EUR; without the cache 0.010000: saved 0.000000\n"));
}

TEST(CdnText, BytesAreOfAThousandEach) {
  site::CdnReport report = Images(1, 0);
  for (auto [bytes, text] : {std::pair<uint64_t, const char*>{999, "999 B"},
                             {1000, "1.0 kB"},
                             {1'500'000, "1.5 MB"},
                             {2'000'000'000'000, "2.0 TB"},
                             {5'000'000'000'000'000, "5000.0 TB"}}) {
    report.traffic[0].to_visitors.bytes = bytes;
    const std::vector<CdnEdge> edges = {{.name = "us-east", .report = report}};
    EXPECT_THAT(CdnText(SummarizeCdn(edges, {}), edges, {}), HasSubstr(text));
  }
}

TEST(CdnText, AUrlDoesNotControlTheTerminal) {
  site::CdnReport report = Images(1, 1);
  report.wastes = {WasteOf("http://a/\x1b[2J", 1, 1)};
  const std::vector<CdnEdge> edges = {{.name = "us-east", .report = report}};
  EXPECT_THAT(CdnText(SummarizeCdn(edges, {}), edges, {}), Not(HasSubstr("\x1b")));
}

TEST(CdnJson, HoldsTheSame) {
  site::CdnReport report = Images(10, 1);
  report.wastes = {WasteOf("http://a/x", 3, 4500)};
  const std::vector<CdnEdge> edges = {{.name = "us-east", .report = report},
                                      {.name = "us-west", .problem = "gone"}};
  const auto json =
      wire::json::Parse(CdnJson(SummarizeCdn(edges, kPrices), edges, kPrices)).value();
  EXPECT_EQ(json.NumberOf("hit_ratio"), 0.9);
  EXPECT_EQ(json.Find("total")->Find("to_visitors")->WholeNumberOf("requests"), 10U);
  EXPECT_EQ(json.WholeNumberOf("saved_bytes"), 9 * kGigabyte);
  EXPECT_EQ(json.TextOf("currency"), "EUR");
  EXPECT_EQ(json.NumberOf("cost"), 15.25);
  EXPECT_EQ(json.ElementsOf("types")[0].TextOf("type"), "image/png");
  const auto& waste = json.ElementsOf("wastes")[0];
  EXPECT_EQ(waste.TextOf("mend"), "Cache-Control: public, max-age=86400");
  EXPECT_EQ(waste.Find("wasted")->WholeNumberOf("requests"), 3U);
  EXPECT_EQ(wire::json::ToText(*json.Find("edges")),
            R"([{"answered":true,"name":"us-east","seconds":60},)"
            R"({"answered":false,"name":"us-west","problem":"gone"}])");
}

}  // namespace
}  // namespace meridian::cli
