#include "base/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meridian {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using testing::HasSubstr;

TEST(Histogram, QuantileIsWithinASixteenthOfTheTruth) {
  Histogram histogram;
  for (int i = 1; i <= 10'000; ++i) histogram.Add(microseconds(i));
  for (double quantile : {0.01, 0.5, 0.9, 0.99, 1.0}) {
    double got = Seconds(histogram.Quantile(quantile)) * 1e6;
    double truth = quantile * 10'000;
    EXPECT_GE(got, truth);
    EXPECT_LE(got, truth * (1 + 1.0 / 16) + 1);
  }
}

TEST(Histogram, EmptyZeroAndHugeValuesHaveAnAnswer) {
  Histogram histogram;
  EXPECT_EQ(histogram.Quantile(0.5), Duration::zero());
  histogram.Add(Duration::zero());
  EXPECT_EQ(histogram.Quantile(1), Duration::zero());
  histogram.Add(std::chrono::hours(1000));
  EXPECT_GT(histogram.Quantile(1), std::chrono::minutes(60));
  EXPECT_EQ(histogram.count(), 2u);
}

TEST(Histogram, MergedCountsAddUp) {
  Histogram a;
  Histogram b;
  a.Add(milliseconds(1));
  b.Add(milliseconds(100));
  a.Merge(b);
  EXPECT_EQ(a.count(), 2u);
  EXPECT_EQ(a.sum(), milliseconds(101));
  EXPECT_EQ(a.CountUpTo(milliseconds(10)), 1u);
}

TEST(Metrics, EverySeriesIsThereAtZeroFromTheStart) {
  Metrics metrics;
  metrics.AddCounter("requests_total", "Requests.", {{"code", "200"}});
  metrics.AddCounter("requests_total", "Requests.", {{"code", "500"}}).Add(3);
  metrics.AddGauge("connections", "Open.").Set(1.5);
  EXPECT_EQ(metrics.Text(),
            "# HELP requests_total Requests.\n"
            "# TYPE requests_total counter\n"
            "requests_total{code=\"200\"} 0\n"
            "requests_total{code=\"500\"} 3\n"
            "# HELP connections Open.\n"
            "# TYPE connections gauge\n"
            "connections 1.5\n");
}

TEST(Metrics, LabelValuesAndHelpAreEscaped) {
  Metrics metrics;
  metrics.AddGauge("g", "a\\b\nc\"", {{"l", "x\"y\\z\n"}});
  EXPECT_THAT(metrics.Text(), HasSubstr("# HELP g a\\\\b\\nc\"\n"));
  EXPECT_THAT(metrics.Text(), HasSubstr("g{l=\"x\\\"y\\\\z\\n\"} 0"));
}

TEST(Metrics, HistogramBucketsAreCumulativeAndEndInTheCount) {
  Metrics metrics;
  Histogram& histogram = metrics.AddHistogram("wait_seconds", "Waits.", {{"tier", "edge"}});
  histogram.Add(microseconds(50));
  histogram.Add(milliseconds(3));
  histogram.Add(std::chrono::seconds(60));
  std::string text = metrics.Text();
  EXPECT_THAT(text, HasSubstr("wait_seconds_bucket{tier=\"edge\",le=\"0.0001\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("wait_seconds_bucket{tier=\"edge\",le=\"0.005\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("wait_seconds_bucket{tier=\"edge\",le=\"10\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("wait_seconds_bucket{tier=\"edge\",le=\"+Inf\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("wait_seconds_count{tier=\"edge\"} 3\n"));
}

}  // namespace
}  // namespace meridian
