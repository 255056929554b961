#include "cli/top/tier_figures.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "wire/prom/text_reader.hpp"

namespace meridian::cli {
namespace {

std::vector<wire::prom::Sample> Read(const std::string& text) {
  auto samples = wire::prom::ReadText(text);
  EXPECT_TRUE(samples) << samples.error().message;
  return *samples;
}

TierFigures Edge(const std::string& before, const std::string& after) {
  return FiguresOf("edge", Read(before), Read(after), 2);
}

TEST(TierFigures, RatesAreGrowthsOverTheTime) {
  const std::string family = "meridian_edge_visitor_responses_total";
  const TierFigures figures =
      Edge(family + "{code=\"2xx\"} 100\n" + family + "{code=\"5xx\"} 10\n",
           family + "{code=\"2xx\"} 140\n" + family + "{code=\"5xx\"} 14\n");
  EXPECT_DOUBLE_EQ(figures.requests_per_second.value(), 22);
  EXPECT_DOUBLE_EQ(figures.errors_per_second.value(), 2);
}

TEST(TierFigures, ACounterThatIsLowerHasBegunAnew) {
  const std::string family = "meridian_edge_visitor_responses_total";
  const TierFigures figures = Edge(family + "{code=\"2xx\"} 1000\n", family + "{code=\"2xx\"} 6\n");
  EXPECT_DOUBLE_EQ(figures.requests_per_second.value(), 3);
}

TEST(TierFigures, WhatATierDoesNotServeIsAbsent) {
  const TierFigures figures = Edge("", "");
  EXPECT_FALSE(figures.requests_per_second);
  EXPECT_FALSE(figures.errors_per_second);
  EXPECT_FALSE(figures.p50_seconds);
  EXPECT_FALSE(figures.hit_ratio);
  EXPECT_FALSE(figures.lag_seconds);
  EXPECT_FALSE(figures.waiting_messages);
  EXPECT_FALSE(FiguresOf("sql", Read("a 1\n"), Read("a 2\n"), 1).requests_per_second);
}

std::string Histogram(int below_1, int below_2, int all) {
  const std::string name = "meridian_edge_visitor_duration_seconds_bucket";
  return name + "{result=\"hit\",le=\"1\"} " + std::to_string(below_1) + "\n" + name +
         "{result=\"hit\",le=\"2\"} " + std::to_string(below_2) + "\n" + name +
         "{result=\"hit\",le=\"+Inf\"} " + std::to_string(all) + "\n";
}

TEST(TierFigures, QuantilesAreOfTheObservationsInBetween) {
  // 100 more, of which 50 are in the first bucket and 50 in the second.
  const TierFigures figures = Edge(Histogram(1000, 1000, 1000), Histogram(1050, 1100, 1100));
  EXPECT_DOUBLE_EQ(figures.p50_seconds.value(), 1);
  EXPECT_DOUBLE_EQ(figures.p99_seconds.value(), 1.98);
  EXPECT_FALSE(Edge(Histogram(5, 5, 5), Histogram(5, 5, 5)).p50_seconds) << "nothing came";
}

TEST(TierFigures, PastTheLastBoundAQuantileIsThatBound) {
  EXPECT_DOUBLE_EQ(Edge(Histogram(0, 0, 0), Histogram(0, 0, 10)).p50_seconds.value(), 2);
}

TEST(TierFigures, QuantilesAfterARestartAreOfAllObservations) {
  EXPECT_DOUBLE_EQ(Edge(Histogram(900, 900, 900), Histogram(10, 10, 10)).p50_seconds.value(), 0.5);
}

TEST(TierFigures, ServedFromTheCacheAreHitsStaleAndCollapsed) {
  const std::string family = "meridian_edge_cache_requests_total";
  const TierFigures figures =
      Edge("", family + "{result=\"hit\"} 5\n" + family + "{result=\"stale\"} 1\n" + family +
                   "{result=\"collapsed\"} 2\n" + family + "{result=\"forwarded\"} 2\n");
  EXPECT_DOUBLE_EQ(figures.hit_ratio.value(), 0.8);
}

TEST(TierFigures, TheLongestLagAndAllWaitingMessagesCount) {
  const TierFigures figures = FiguresOf("queue", {},
                                        Read("meridian_mirror_lag_seconds{source=\"us-west\"} 0.5\n"
                                             "meridian_mirror_lag_seconds{source=\"eu\"} 3\n"
                                             "meridian_queue_group_lag_messages{group=\"a\"} 4\n"
                                             "meridian_queue_group_lag_messages{group=\"b\"} 6\n"),
                                        1);
  EXPECT_DOUBLE_EQ(figures.lag_seconds.value(), 3);
  EXPECT_DOUBLE_EQ(figures.waiting_messages.value(), 10);
}

}  // namespace
}  // namespace meridian::cli
