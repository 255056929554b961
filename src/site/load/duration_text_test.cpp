#include "site/load/duration_text.hpp"

#include <gtest/gtest.h>

namespace meridian::site {
namespace {

using namespace std::chrono_literals;

TEST(ParseDuration, IsAWholeNumberAndItsUnit) {
  EXPECT_EQ(ParseDuration("500ms").value(), 500ms);
  EXPECT_EQ(ParseDuration("30s").value(), 30s);
  EXPECT_EQ(ParseDuration("5m").value(), 5min);
  EXPECT_EQ(ParseDuration("2h").value(), 2h);
  EXPECT_EQ(ParseDuration("7d").value(), 7 * 24h);
  EXPECT_EQ(ParseDuration("0s").value(), 0s);
}

TEST(ParseDuration, AnyOtherSpellingIsRefused) {
  for (const char* text : {"", "s", "30", "30 s", " 30s", "30s ", "-1s", "+1s", "1.5s", "1h30m",
                           "30S", "30sec", "1us", "0x10s", "9999999999s"}) {
    EXPECT_FALSE(ParseDuration(text)) << text;
  }
}

// The longest retention of a queue.
TEST(ParseDuration, LongestIsTenYears) {
  EXPECT_EQ(ParseDuration("3650d").value(), 3650 * 24h);
  EXPECT_FALSE(ParseDuration("3651d"));
  EXPECT_EQ(ParseDuration("315360000s").value(), 3650 * 24h);
  EXPECT_FALSE(ParseDuration("315360001s"));
}

TEST(DurationText, IsTheShortestSpelling) {
  for (const char* text : {"0s", "1ms", "1500ms", "90s", "2m", "36h", "2d"}) {
    EXPECT_EQ(DurationText(ParseDuration(text).value()), text);
  }
  EXPECT_EQ(DurationText(60000ms), "1m");
}

}  // namespace
}  // namespace meridian::site
