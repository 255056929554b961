#include "site/location.hpp"

#include <gtest/gtest.h>

namespace meridian::site {
namespace {

TEST(FindCity, IgnoresCaseAndReadsDashesAsSpaces) {
  ASSERT_TRUE(FindCity("San Jose"));
  EXPECT_EQ(FindCity("san-jose"), FindCity("San Jose"));
  EXPECT_EQ(FindCity("SAN_JOSE"), FindCity("San Jose"));
  EXPECT_EQ(FindCity("San"), std::nullopt);
  EXPECT_EQ(FindCity(""), std::nullopt);
  EXPECT_EQ(FindCity("San Jose "), std::nullopt);
}

TEST(Cities, StandOnEarthAndEachIsFoundByItsName) {
  EXPECT_GE(Cities().size(), 60u);
  for (const City& city : Cities()) {
    EXPECT_EQ(FindCity(city.name), city.location) << city.name;
    EXPECT_LE(city.location.latitude, 90) << city.name;
    EXPECT_GE(city.location.latitude, -90) << city.name;
    EXPECT_LE(city.location.longitude, 180) << city.name;
    EXPECT_GE(city.location.longitude, -180) << city.name;
  }
}

TEST(Cities, LieInTheQuarterOfTheGlobeThatTheAtlasSays) {
  EXPECT_LT(FindCity("Ashburn")->longitude, 0);
  EXPECT_GT(FindCity("Tokyo")->longitude, 0);
  EXPECT_LT(FindCity("Sydney")->latitude, 0);
  EXPECT_GT(FindCity("London")->latitude, 0);
}

}  // namespace
}  // namespace meridian::site
