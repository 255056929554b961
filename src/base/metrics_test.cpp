#include "base/metrics.hpp"

#include <chrono>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/metrics_text.hpp"

namespace meridian {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string OpenText(const Metrics& metrics) {
  return MetricsText(metrics, MetricsFormat::kOpenMetrics);
}

TEST(Metrics, EverySeriesIsThereAtZeroFromTheStart) {
  Metrics metrics;
  metrics.AddCounter("requests_total", "Requests.", {{"code", "200"}});
  metrics.AddCounter("requests_total", "Requests.", {{"code", "500"}}).Add(3);
  metrics.AddGauge("connections", "Open.").Set(1.5);
  EXPECT_EQ(MetricsText(metrics),
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
  EXPECT_THAT(MetricsText(metrics),
              AllOf(HasSubstr("# HELP g a\\\\b\\nc\"\n"), HasSubstr("g{l=\"x\\\"y\\\\z\\n\"} 0")));
  EXPECT_THAT(OpenText(metrics), HasSubstr("# HELP g a\\\\b\\nc\\\"\n"));
}

TEST(Metrics, HistogramBucketsAreCumulativeAndEndInTheCount) {
  Metrics metrics;
  DurationHistogram& histogram = metrics.AddDurations("wait_seconds", "Waits.", {{"tier", "edge"}});
  histogram.Add(microseconds(50));
  histogram.Add(microseconds(5001));
  histogram.Add(std::chrono::seconds(60));
  histogram.Add(milliseconds(-1));  // a clock that was set back
  std::string text = MetricsText(metrics);
  EXPECT_THAT(text, HasSubstr("wait_seconds_bucket{tier=\"edge\",le=\"1e-05\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("wait_seconds_bucket{tier=\"edge\",le=\"5e-05\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("wait_seconds_bucket{tier=\"edge\",le=\"0.005\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("wait_seconds_bucket{tier=\"edge\",le=\"0.01\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("wait_seconds_bucket{tier=\"edge\",le=\"10\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("wait_seconds_bucket{tier=\"edge\",le=\"+Inf\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("wait_seconds_sum{tier=\"edge\"} 60.005051\n"));
  EXPECT_THAT(text, HasSubstr("wait_seconds_count{tier=\"edge\"} 4\n"));
}

TEST(Metrics, OpenMetricsNamesFamiliesWithoutTotalAndTellsUnits) {
  Metrics metrics;
  metrics.AddCounter("sent_bytes_total", "Bytes.", {{"to", "visitors"}}).Add(7);
  metrics.AddDurations("wait_seconds", "Waits.").Add(milliseconds(2));
  metrics.AddGauge("panic", "1 in panic.");
  std::string text = OpenText(metrics);
  EXPECT_THAT(text, HasSubstr("# HELP sent_bytes Bytes.\n# TYPE sent_bytes counter\n"
                              "# UNIT sent_bytes bytes\nsent_bytes_total{to=\"visitors\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE wait_seconds histogram\n# UNIT wait_seconds seconds\n"));
  EXPECT_THAT(text, HasSubstr("wait_seconds_bucket{le=\"1.0\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("UNIT panic")));
  EXPECT_THAT(text, testing::EndsWith("panic 0\n# EOF\n"));
  EXPECT_THAT(MetricsText(metrics), AllOf(Not(HasSubstr("# EOF")), Not(HasSubstr("# UNIT"))));
}

TEST(Metrics, OpenMetricsIsSentOnlyOnRequest) {
  for (const char* accept : {
           "application/openmetrics-text; version=1.0.0",
           "application/openmetrics-text",
           "Application/OpenMetrics-Text;version=1.0.0;charset=utf-8",
           // The Accept field of Prometheus 2.42.
           "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;"
           "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
       }) {
    EXPECT_EQ(ChooseMetricsFormat(accept), MetricsFormat::kOpenMetrics) << accept;
  }
  for (const char* accept :
       {"", "*/*", "text/plain", "application/openmetrics-text; version=0.0.1",
        "application/openmetrics-text;version=1.0.0;q=0",
        "application/openmetrics-text;version=1.0.0;q=x",
        "application/openmetrics-text;version=1.0.0;q=0.4, text/plain;version=0.0.4;q=0.5",
        ",;,=", "application/openmetrics"}) {
    EXPECT_EQ(ChooseMetricsFormat(accept), MetricsFormat::kPrometheus) << accept;
  }
}

TEST(Metrics, PartsOfOtherThreadsAreSummed) {
  Metrics metrics;
  metrics.AddCounter("requests_total", "Requests.", {{"code", "200"}}).Add(1);
  metrics.AddDurations("wait_seconds", "Waits.").Add(milliseconds(1));
  Metrics& part = metrics.AddPart();
  std::jthread([&part] {
    part.AddCounter("requests_total", "Requests.", {{"code", "200"}}).Add(2);
    part.AddCounter("requests_total", "Requests.", {{"code", "404"}}).Add(5);
    part.AddDurations("wait_seconds", "Waits.").Add(milliseconds(3));
    part.AddGauge("open", "Open.").Set(2);
  }).join();
  std::string text = MetricsText(metrics);
  EXPECT_THAT(text, HasSubstr("requests_total{code=\"200\"} 3\nrequests_total{code=\"404\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("wait_seconds_sum 0.004\nwait_seconds_count 2\n"));
  EXPECT_THAT(text, HasSubstr("open 2\n"));
}

TEST(Metrics, AReaderBesideAWriterThatAddsSeriesSeesWholeNumbers) {
  Metrics metrics;
  auto& family =
      metrics.AddCounterFamily({.name = "tries_total", .help = "Tries.", .label_names = {"to"}});
  std::jthread writer([&] {
    for (int i = 0; i < 200; ++i) family.Take({std::to_string(i % 50)})->Add();
  });
  uint64_t seen = 0;
  while (seen < 200) {
    uint64_t sum = 0;
    const auto families = metrics.Read();
    for (const auto& series : families.front().series) sum += series.count;
    ASSERT_GE(sum, seen);
    seen = sum;
  }
  EXPECT_EQ(metrics.Read().front().series.size(), 50U);
}

TEST(SeriesFamily, CountsOnForTheSameLabels) {
  Metrics metrics;
  auto& family = metrics.AddCounterFamily(
      {.name = "tries_total", .help = "Tries.", .label_names = {"instance", "release"}});
  {
    auto tries = family.Take({"us-east-1", "r1"});
    tries->Add(2);
    family.Take({"us-east-1", "r1"})->Add(1);  // held by two
  }
  EXPECT_THAT(MetricsText(metrics),
              HasSubstr("tries_total{instance=\"us-east-1\",release=\"r1\"} 3\n"));
  family.Take({"us-east-1", "r1"})->Add(1);
  EXPECT_THAT(MetricsText(metrics),
              HasSubstr("tries_total{instance=\"us-east-1\",release=\"r1\"} 4\n"));
}

TEST(SeriesFamily, ANewSeriesTakesThePlaceOfTheOneReleasedFirst) {
  Metrics metrics;
  auto& family = metrics.AddCounterFamily(
      {.name = "tries_total", .help = "Tries.", .label_names = {"to"}, .max_series = 2});
  family.Take({"b"})->Add(1);
  family.Take({"a"})->Add(1);
  auto held = family.Take({"c"});
  held->Add(7);
  EXPECT_THAT(MetricsText(metrics), AllOf(HasSubstr("{to=\"a\"} 1\n"), HasSubstr("{to=\"c\"} 7\n"),
                                          Not(HasSubstr("\"b\"")), Not(HasSubstr("_overflow"))));
}

TEST(SeriesFamily, SeriesPastTheLimitCountInTheOverflowSeries) {
  Metrics metrics;
  auto& family = metrics.AddDurationFamily(
      {.name = "took_seconds", .help = "Took.", .label_names = {"to"}, .max_series = 2});
  auto first = family.Take({"a"});
  auto second = family.Take({"b"});
  for (int i = 0; i < 1000; ++i) family.Take({std::to_string(i)})->Add(milliseconds(1));
  std::string text = MetricsText(metrics);
  EXPECT_THAT(text, HasSubstr("took_seconds_count{to=\"_overflow\"} 1000\n"));
  EXPECT_EQ(metrics.Read().front().series.size(), 3U);
}

}  // namespace
}  // namespace meridian
