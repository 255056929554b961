#include "visit/histogram.hpp"

#include <chrono>

#include <gtest/gtest.h>

namespace meridian::visit {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

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
}

}  // namespace
}  // namespace meridian::visit
