#include "dns/geo/data_center_map.hpp"

#include <gtest/gtest.h>

namespace meridian::dns {
namespace {

IpPrefix P(std::string_view text) { return *IpPrefix::Parse(text); }

std::vector<Place> Places() {
  return {{"oregon", P("203.0.113.0/24"), {}},
          {"new-york", P("198.51.100.0/24"), {}},
          {"oregon", P("192.0.2.0/24"), {}}};
}

TEST(DataCenterMap, NameOfAPlaceStandsForAllItsPrefixes) {
  DataCenterMap map =
      *DataCenterMap::Build({.by_place = {{"oregon", 1}}, .by_prefix = {}}, Places());
  EXPECT_EQ(map.Find(IpAddress::V4(203, 0, 113, 1), 32, 0).data_center, 1);
  EXPECT_EQ(map.Find(IpAddress::V4(192, 0, 2, 1), 32, 2).data_center, 1);
  EXPECT_FALSE(map.Find(IpAddress::V4(198, 51, 100, 1), 32, 1).data_center);
  EXPECT_FALSE(map.Find(IpAddress::V4(10, 0, 0, 1), 32, std::nullopt).data_center);
}

TEST(DataCenterMap, PrefixComesBeforeThePlaceAndNarrowsTheScope) {
  DataCenterMap map = *DataCenterMap::Build(
      {.by_place = {{"oregon", 1}}, .by_prefix = {{P("203.0.113.128/25"), 0}}}, Places());
  EXPECT_EQ(map.Find(IpAddress::V4(203, 0, 113, 200), 32, 0).data_center, 0);
  EXPECT_EQ(map.Find(IpAddress::V4(203, 0, 113, 1), 32, 0).data_center, 1);
  EXPECT_EQ(map.Find(IpAddress::V4(203, 0, 113, 1), 32, 0).scope_bits, 25);
}

TEST(DataCenterMap, UnknownPlaceIsRefusedByName) {
  Result<DataCenterMap> map =
      DataCenterMap::Build({.by_place = {{"texas", 1}}, .by_prefix = {}}, Places());
  ASSERT_FALSE(map);
  EXPECT_EQ(map.error().code, Errc::kNotFound);
  EXPECT_NE(map.error().message.find("texas"), std::string::npos);
}

}  // namespace
}  // namespace meridian::dns
