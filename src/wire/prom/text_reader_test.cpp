#include "wire/prom/text_reader.hpp"

#include <cmath>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/prom/limits.hpp"

namespace meridian::wire::prom {
namespace {

using testing::HasSubstr;

std::vector<Sample> Read(const std::string& text) {
  auto samples = ReadText(text);
  EXPECT_TRUE(samples) << samples.error().message;
  return samples ? *samples : std::vector<Sample>{};
}

TEST(PrometheusText, SamplesHaveNameLabelsAndValue) {
  const std::vector<Sample> samples = Read(
      "# HELP requests_total Requests.\n"
      "# TYPE requests_total counter\n"
      "requests_total{code=\"2xx\",dc=\"us-east\"} 1027 1395066363000\n"
      "\n"
      "  up 1\n"
      "job:errors:rate5m{} 1.5e-3\n"
      "trailing{ a = \"b\" , } 2\t\n");
  ASSERT_EQ(samples.size(), 4U);
  EXPECT_EQ(samples[0].name, "requests_total");
  EXPECT_EQ(samples[0].LabelOf("code"), "2xx");
  EXPECT_EQ(samples[0].LabelOf("dc"), "us-east");
  EXPECT_EQ(samples[0].LabelOf("absent"), "");
  EXPECT_EQ(samples[0].value, 1027);
  EXPECT_EQ(samples[1].name, "up");
  EXPECT_TRUE(samples[1].labels.empty());
  EXPECT_EQ(samples[2].value, 0.0015);
  EXPECT_EQ(samples[3].LabelOf("a"), "b");
}

TEST(PrometheusText, EscapesOfLabelValuesAreRead) {
  const std::vector<Sample> samples = Read("a{b=\"x\\\\y\\\"z\\n}, #\"} 1\n");
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_EQ(samples[0].LabelOf("b"), "x\\y\"z\n}, #");
}

TEST(PrometheusText, ValuesMayBeInfiniteOrNoNumber) {
  const std::vector<Sample> samples = Read("a +Inf\nb -Inf\nc NaN\nd +3\ne Inf\n");
  ASSERT_EQ(samples.size(), 5U);
  EXPECT_EQ(samples[0].value, HUGE_VAL);
  EXPECT_EQ(samples[1].value, -HUGE_VAL);
  EXPECT_TRUE(std::isnan(samples[2].value));
  EXPECT_EQ(samples[3].value, 3);
  EXPECT_EQ(samples[4].value, HUGE_VAL);
}

TEST(PrometheusText, AnEmptyTextHasNoSample) { EXPECT_TRUE(Read("").empty()); }

TEST(PrometheusText, WrongLinesAreRefusedWithTheirNumber) {
  for (const char* line : {"1a 1", "a", "a x", "a 1 x", "a 1 2 3", "a{ 1", "a{b} 1", "a{b=} 1",
                           "a{b=\"x} 1", "a{b=\"x\"c=\"y\"} 1", "a{b=\"x\",,} 1", "a{b=\"\\t\"} 1",
                           "a{b=\"x\",b=\"y\"} 1", "a{b:c=\"x\"} 1", "a +-1", "{b=\"x\"} 1"}) {
    auto samples = ReadText(fmt::format("good 1\n{}\n", line));
    ASSERT_FALSE(samples) << line;
    EXPECT_EQ(samples.error().code, Errc::kInvalid) << line;
    EXPECT_THAT(samples.error().message, HasSubstr("line 2: ")) << line;
  }
}

TEST(PrometheusText, ATextThatWasCutOffIsRefused) {
  auto samples = ReadText("a 1\nb 12");
  ASSERT_FALSE(samples);
  EXPECT_THAT(samples.error().message, HasSubstr("cut off"));
}

TEST(PrometheusText, LimitsAreKept) {
  std::string labels;
  for (size_t i = 0; i <= kMaxLabels; ++i) labels += fmt::format("l{}=\"\",", i);
  std::string samples;
  for (size_t i = 0; i <= kMaxSamples; ++i) samples += "a 1\n";
  for (const std::string& text :
       {std::string(kMaxNameBytes + 1, 'a') + " 1\n",
        "a{b=\"" + std::string(kMaxLabelValueBytes + 1, 'x') + "\"} 1\n", "a{" + labels + "} 1\n",
        samples, std::string(kMaxTextBytes + 1, '\n')}) {
    auto read = ReadText(text);
    ASSERT_FALSE(read) << text.substr(0, 40);
    EXPECT_EQ(read.error().code, Errc::kTooLarge) << text.substr(0, 40);
  }
}

}  // namespace
}  // namespace meridian::wire::prom
