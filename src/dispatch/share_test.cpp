#include "dispatch/share.hpp"

#include <gtest/gtest.h>

#include "dispatch/limits.hpp"

namespace meridian::dispatch {
namespace {

TEST(Share, BothTogetherNeverExceedTheBound) {
  for (uint32_t most = 1; most <= kMaxConnectionsPerInstance; ++most) {
    Shares shares = DivideInFlight(most);
    ASSERT_EQ(shares.edge + shares.balancer, most);
    ASSERT_GE(shares.balancer, 1U);
  }
}

TEST(Share, TheEdgeHasTheLargerPartAndNothingOfASingleRequest) {
  EXPECT_EQ(DivideInFlight(1).edge, 0U);
  EXPECT_EQ(DivideInFlight(2).edge, 1U);
  EXPECT_EQ(DivideInFlight(1024).edge, 768U);
}

}  // namespace
}  // namespace meridian::dispatch
