#include "dns/geo/location.hpp"

#include <gtest/gtest.h>

namespace meridian::dns {
namespace {

constexpr Location kNewYork{40.71, -74.01};
constexpr Location kOregon{45.52, -122.68};

Locator Places() {
  return *Locator::Build({{"new-york", *IpPrefix::Parse("198.51.100.0/24"), kNewYork},
                          {"oregon", *IpPrefix::Parse("203.0.113.0/24"), kOregon},
                          {"brooklyn", *IpPrefix::Parse("198.51.100.128/25"), kNewYork}},
                         nullptr);
}

TEST(Locator, FindsTheClosestFittingPlace) {
  Locator locator = Places();
  ClientLocation client = locator.Find(IpAddress::V4(198, 51, 100, 200), 32);
  ASSERT_TRUE(client.place);
  EXPECT_EQ(locator.places()[*client.place].name, "brooklyn");
  EXPECT_EQ(client.location, UnitVectorOf(kNewYork));
  EXPECT_EQ(client.scope_bits, 25);
}

TEST(Locator, ScopeOfAPlaceLeavesOutThePlacesInsideIt) {
  ClientLocation client = Places().Find(IpAddress::V4(198, 51, 100, 1), 32);
  EXPECT_EQ(client.place, 0U);
  EXPECT_EQ(client.scope_bits, 25);
  EXPECT_EQ(Places().Find(IpAddress::V4(203, 0, 113, 1), 32).scope_bits, 24);
}

TEST(Locator, BlockThatIsWiderThanAPlaceIsNotInIt) {
  ClientLocation client = Places().Find(IpAddress::V4(203, 0, 0, 0), 16);
  EXPECT_FALSE(client.place);
  EXPECT_FALSE(client.location);
}

TEST(Locator, NobodyKnowsAClientFromElsewhere) {
  ClientLocation client = Places().Find(*IpAddress::Parse("2001:db8::1"), 128);
  EXPECT_FALSE(client.place);
  EXPECT_FALSE(client.location);
  EXPECT_EQ(client.scope_bits, 0);
}

TEST(Locator, PlaceThatStandsTwiceIsRefused) {
  IpPrefix prefix = *IpPrefix::Parse("198.51.100.0/24");
  EXPECT_EQ(Locator::Build({{"a", prefix, kOregon}, {"b", prefix, kOregon}}, nullptr).error().code,
            Errc::kExists);
}

}  // namespace
}  // namespace meridian::dns
