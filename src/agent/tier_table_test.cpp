#include "agent/tier_table.hpp"

#include <chrono>

#include <gtest/gtest.h>

#include "agent/limits.hpp"
#include "site/site.hpp"

namespace meridian::agent {
namespace {

using std::chrono::minutes;

TEST(TierTable, LongestStopLeavesTiersAndApplicationTheirTimes) {
  site::Site site;
  site.datacenters.push_back({.name = "us-east"});
  site.app.stop_timeout = minutes(9);
  size_t tiers = TierTable(site, site.datacenters.front(), site::Hosting::kLab).size();
  EXPECT_GT(LongestStop(site), minutes(9) + tiers * kTierStopTimeout);
}

}  // namespace
}  // namespace meridian::agent
