#include "lab/link_table.hpp"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "lab/limits.hpp"
#include "site/location.hpp"
#include "site/site.hpp"

namespace meridian::lab {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = LinkOrder::Kind;

class LinkTableTest : public testing::Test {
 protected:
  static site::Site ThreeDataCenters() {
    site::Site site;
    for (const char* city : {"Ashburn", "San Jose", "Dublin"}) {
      site.datacenters.push_back({.name = city, .location = site::FindCity(city).value()});
    }
    return site;
  }

  Duration Travel(const std::string& from, const std::string& to, size_t bytes = 1) {
    return table_.DirectionFrom(from, to).Arrival(bytes, clock_.Now(), random_) - clock_.Now();
  }
  Result<void> Apply(const LinkOrder& order) { return table_.Apply("Ashburn", "San Jose", order); }

  ManualClock clock_;
  Random random_{1};
  LinkTable table_{ThreeDataCenters()};
};

TEST_F(LinkTableTest, TheTwoCoastsAreSomeSixtyMillisecondsApartAndBack) {
  double coasts = Milliseconds(Travel("Ashburn", "San Jose") + Travel("San Jose", "Ashburn"));
  EXPECT_GE(coasts, 60);
  EXPECT_LE(coasts, 70);
  double ocean = Milliseconds(2 * Travel("Ashburn", "Dublin"));
  EXPECT_GE(ocean, 75);
  EXPECT_LE(ocean, 95);
  EXPECT_EQ(table_.links().size(), 3u);
}

TEST_F(LinkTableTest, LatencyIsTheRoundTripHalfEachWay) {
  ASSERT_TRUE(Apply({.round_trip = milliseconds(70)}));
  EXPECT_EQ(Travel("Ashburn", "San Jose"), milliseconds(35));
  EXPECT_EQ(Travel("San Jose", "Ashburn"), milliseconds(35));
}

TEST_F(LinkTableTest, JitterStaysWithinItsBoundsAndVaries) {
  ASSERT_TRUE(Apply({.round_trip = milliseconds(70), .jitter = milliseconds(10)}));
  Duration least = Duration::max();
  Duration most{};
  for (int i = 0; i < 1000; ++i) {
    least = std::min(least, Travel("Ashburn", "San Jose"));
    most = std::max(most, Travel("Ashburn", "San Jose"));
  }
  EXPECT_GE(least, milliseconds(30));
  EXPECT_LE(least, milliseconds(31));
  EXPECT_GE(most, milliseconds(39));
  EXPECT_LE(most, milliseconds(40));
}

TEST_F(LinkTableTest, ARateHoldsBackEachDirectionByItself) {
  ASSERT_TRUE(Apply({.round_trip = Duration::zero(), .bits_per_second = 8'000'000}));
  EXPECT_EQ(Travel("Ashburn", "San Jose", TokenBucket::kBurstBytes + 1000), milliseconds(1));
  EXPECT_EQ(Travel("San Jose", "Ashburn"), Duration::zero());
}

TEST_F(LinkTableTest, SendersTakeTurnsAtASlowLink) {
  LinkDirection& way = table_.DirectionFrom("Ashburn", "San Jose");
  EXPECT_LT(way.NextSendTime(), clock_.Now());
  EXPECT_EQ(way.PieceBytes(), kLinkPieceBytes);
  ASSERT_TRUE(Apply({.bits_per_second = 800'000}));
  EXPECT_EQ(way.PieceBytes(), 5000u);                                      // in 50 ms
  (void)Travel("Ashburn", "San Jose", TokenBucket::kBurstBytes + 10'000);  // 100 ms of them
  EXPECT_EQ(way.NextSendTime(), clock_.Now() + milliseconds(100) - kLinkQueue);
}

TEST_F(LinkTableTest, ACutIsBothWaysAHalfCutOneAndAHealNone) {
  LinkDirection& there = table_.DirectionFrom("Ashburn", "San Jose");
  LinkDirection& back = table_.DirectionFrom("San Jose", "Ashburn");
  ASSERT_TRUE(Apply({.kind = Kind::kCut}));
  EXPECT_TRUE(there.cut() && back.cut());
  ASSERT_TRUE(Apply({.kind = Kind::kHalfCut}));
  EXPECT_TRUE(there.cut() && !back.cut());
  ASSERT_TRUE(table_.Apply("San Jose", "Ashburn", {.kind = Kind::kHalfCut}));
  EXPECT_TRUE(!there.cut() && back.cut());
  ASSERT_TRUE(Apply({.kind = Kind::kHeal}));
  EXPECT_TRUE(!there.cut() && !back.cut());
  EXPECT_FALSE(table_.DirectionFrom("Ashburn", "Dublin").cut());
}

TEST_F(LinkTableTest, SettingsLeaveACutAndAHealGoesBackToTheDistance) {
  Duration before = Travel("Ashburn", "San Jose");
  ASSERT_TRUE(Apply({.kind = Kind::kCut}));
  ASSERT_TRUE(Apply({.round_trip = seconds(1), .jitter = seconds(1), .bits_per_second = 8'000}));
  EXPECT_TRUE(table_.DirectionFrom("Ashburn", "San Jose").cut());
  ASSERT_TRUE(Apply({.kind = Kind::kHeal}));
  EXPECT_EQ(Travel("Ashburn", "San Jose", 1'000'000), before);
}

TEST_F(LinkTableTest, WhatIsBeyondTheLimitsIsRefusedAndChangesNothing) {
  EXPECT_TRUE(Apply({.round_trip = kMaxLinkDelay, .jitter = kMaxLinkDelay}));
  EXPECT_TRUE(Apply({.bits_per_second = kMinLinkBits}));
  EXPECT_TRUE(Apply({.kind = Kind::kHeal}));
  Duration before = Travel("Ashburn", "San Jose");
  constexpr Duration kMore = kMaxLinkDelay + Duration(1);
  EXPECT_EQ(Apply({.round_trip = kMore}).error().code, Errc::kInvalid);
  EXPECT_EQ(Apply({.jitter = kMore}).error().code, Errc::kInvalid);
  EXPECT_EQ(Apply({.bits_per_second = kMinLinkBits - 1}).error().code, Errc::kInvalid);
  EXPECT_EQ(Travel("Ashburn", "San Jose"), before);
}

TEST_F(LinkTableTest, ALinkThatIsNotThereIsNotFound) {
  EXPECT_EQ(table_.Apply("Ashburn", "Oslo", {}).error().code, Errc::kNotFound);
  EXPECT_EQ(table_.Apply("Ashburn", "Ashburn", {}).error().code, Errc::kNotFound);
}

}  // namespace
}  // namespace meridian::lab
