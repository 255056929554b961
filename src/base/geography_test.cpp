#include "base/geography.hpp"

#include <gtest/gtest.h>

namespace meridian {
namespace {

constexpr Location kAshburn{39.04, -77.49};
constexpr Location kSanJose{37.34, -121.89};
constexpr Location kFrankfurt{50.11, 8.68};
constexpr Location kSydney{-33.87, 151.21};

double NearnessOf(const Location& a, const Location& b) {
  return Nearness(UnitVectorOf(a), UnitVectorOf(b));
}

TEST(DistanceKm, IsThatOfKnownPairs) {
  EXPECT_NEAR(DistanceKm(kAshburn, kSanJose), 3846.2, 0.1);
  EXPECT_NEAR(DistanceKm(kAshburn, kFrankfurt), 6549.3, 0.1);
  EXPECT_NEAR(DistanceKm(kFrankfurt, kSydney), 16483.2, 0.1);
  EXPECT_NEAR(DistanceKm({0, 0}, {0, 1}), 111.195, 0.001);
}

TEST(DistanceKm, IsSymmetricAndZeroInPlace) {
  EXPECT_EQ(DistanceKm(kAshburn, kAshburn), 0);
  EXPECT_DOUBLE_EQ(DistanceKm(kAshburn, kSydney), DistanceKm(kSydney, kAshburn));
}

TEST(DistanceKm, GoesOverTheDateLineAndThePoles) {
  EXPECT_NEAR(DistanceKm({0, 179.5}, {0, -179.5}), 111.195, 0.001);
  EXPECT_NEAR(DistanceKm({89.5, 0}, {89.5, 180}), 111.195, 0.001);
  EXPECT_NEAR(DistanceKm({90, 0}, {-90, 0}), 20015, 1);
}

TEST(Nearness, OrdersAsDistanceDoes) {
  EXPECT_GT(NearnessOf(kAshburn, kSanJose), NearnessOf(kAshburn, kFrankfurt));
  EXPECT_GT(NearnessOf(kSydney, kSanJose), NearnessOf(kSydney, kAshburn));
  EXPECT_DOUBLE_EQ(NearnessOf(kSydney, kSydney), 1);
  EXPECT_DOUBLE_EQ(NearnessOf({90, 0}, {-90, 0}), -1);
}

}  // namespace
}  // namespace meridian
