#include "cli/report/link_text.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/result.hpp"
#include "lab/link_status.hpp"

namespace meridian::cli {
namespace {

using testing::ContainsRegex;

TEST(LinkText, RatesAreReadAndShown) {
  EXPECT_EQ(ParseRate("64kbit").value(), 64'000u);
  EXPECT_EQ(ParseRate("100mbit").value(), 100'000'000u);
  EXPECT_EQ(ParseRate("1000000gbit").value(), 1'000'000'000'000'000u);
  EXPECT_EQ(ParseRate("unlimited").value(), 0u);
  EXPECT_EQ(RateText(64'000), "64 kbit/s");
  EXPECT_EQ(RateText(1'500'000), "1.5 mbit/s");
  EXPECT_EQ(RateText(0), "unlimited");
}

TEST(LinkText, WhatIsNoRateIsRefused) {
  for (const char* text : {"", "100", "mbit", "-1mbit", "0mbit", "1.5mbit", "1 mbit", "1mbits",
                           "1000001gbit", "99999999999999999999kbit"}) {
    EXPECT_EQ(ParseRate(text).error().code, Errc::kInvalid) << text;
  }
}

TEST(LinkText, ALineSaysHowALinkIsAndWhoIsNotHeard) {
  std::vector<lab::LinkStatus> links = {{.a = "us-east",
                                         .b = "us-west",
                                         .latency_ms = 61.54,
                                         .rate_bits = 1'000'000,
                                         .state = "half-cut",
                                         .silent = "us-east",
                                         .bytes_from_a = 999,
                                         .bytes_from_b = 1'500'000}};
  EXPECT_THAT(LinkTableText(links),
              ContainsRegex("us-east us-west +61.54 ms +0 ms +1 mbit/s +999 B +1.5 MB +half-cut: "
                            "data from us-east does not arrive"));
  KeepLinkBetween("us-west", "us-east", &links);
  EXPECT_EQ(links.size(), 1u);
  KeepLinkBetween("us-west", "eu-west", &links);
  EXPECT_TRUE(links.empty());
}

}  // namespace
}  // namespace meridian::cli
