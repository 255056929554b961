#include "agent/admin/refusals.hpp"

#include <cstdint>

#include <gtest/gtest.h>

#include "base/ip.hpp"

namespace meridian::agent {
namespace {

const IpAddress kEast = IpAddress::V4(192, 0, 2, 1);
const IpAddress kWest = IpAddress::V4(192, 0, 2, 2);

TEST(Refusals, ARefusalIsNewsOnceForEachSourceAndReason) {
  Refusals refusals;
  EXPECT_TRUE(refusals.OnRefused(kEast, "unknown authority"));
  EXPECT_FALSE(refusals.OnRefused(kEast, "unknown authority"));
  EXPECT_TRUE(refusals.OnRefused(kWest, "unknown authority"));
  EXPECT_TRUE(refusals.OnRefused(kEast, "run out"));
  EXPECT_FALSE(refusals.OnRefused(kEast, "run out"));
}

TEST(Refusals, ItIsNewsAgainAfterTheSourceWasLetIn) {
  Refusals refusals;
  EXPECT_TRUE(refusals.OnRefused(kEast, "unknown authority"));
  refusals.OnAdmitted(kWest);
  EXPECT_FALSE(refusals.OnRefused(kEast, "unknown authority"));
  refusals.OnAdmitted(kEast);
  EXPECT_TRUE(refusals.OnRefused(kEast, "unknown authority"));
}

TEST(Refusals, SoManySourcesAreRememberedAndNotOneMore) {
  auto source = [](size_t i) {
    return IpAddress::V4(10, 0, static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i));
  };
  Refusals refusals;
  for (size_t i = 0; i < Refusals::kMaxSources; ++i) EXPECT_TRUE(refusals.OnRefused(source(i), ""));
  EXPECT_FALSE(refusals.OnRefused(source(0), ""));
  EXPECT_TRUE(refusals.OnRefused(source(Refusals::kMaxSources), ""));
  EXPECT_TRUE(refusals.OnRefused(source(0), ""));
}

}  // namespace
}  // namespace meridian::agent
