#include "dns/geo/country.hpp"

#include <string>

#include <gtest/gtest.h>

#include "base/geography.hpp"

namespace meridian::dns {
namespace {

TEST(Country, IsFoundByItsCode) {
  EXPECT_TRUE(CountryLocation("AD"));
  EXPECT_TRUE(CountryLocation("ZW"));
  for (const char* code : {"", "Z", "ZZ", "de", "DEU", "EU"}) {
    EXPECT_FALSE(CountryLocation(code)) << code;
  }
}

TEST(Country, EveryCodeHasAPointOnEarth) {
  int count = 0;
  for (char first = 'A'; first <= 'Z'; ++first) {
    for (char second = 'A'; second <= 'Z'; ++second) {
      auto location = CountryLocation(std::string{first, second});
      if (!location) continue;
      ++count;
      EXPECT_LE(std::abs(location->latitude), 90) << first << second;
      EXPECT_LE(std::abs(location->longitude), 180) << first << second;
    }
  }
  EXPECT_EQ(count, 250);
}

// A country is a single point: a smoke test that no sign or pair of numbers is the wrong way round.
TEST(Country, LiesOnItsContinent) {
  struct Box {
    const char* codes;
    double south, north, west, east;
  };
  for (const Box& box :
       {Box{"DE FR IT ES PL SE GB NL UA RO PT GR NO FI IE", 36, 65, -10, 35},
        Box{"US CA MX CU GT", 10, 60, -130, -60}, Box{"BR AR CL PE CO UY BO", -56, 13, -82, -34},
        Box{"JP KR CN IN TH VN ID PH TW SG HK", -11, 50, 68, 146},
        Box{"NG EG ZA KE GH MA ET DZ TZ", -35, 37, -18, 52}, Box{"AU NZ FJ", -48, -10, 112, 180}}) {
    for (std::string_view codes = box.codes; codes.size() >= 2;
         codes.remove_prefix(std::min<size_t>(3, codes.size()))) {
      auto at = CountryLocation(codes.substr(0, 2));
      ASSERT_TRUE(at) << codes;
      EXPECT_TRUE(at->latitude > box.south && at->latitude < box.north) << codes.substr(0, 2);
      EXPECT_TRUE(at->longitude > box.west && at->longitude < box.east) << codes.substr(0, 2);
    }
  }
}

}  // namespace
}  // namespace meridian::dns
