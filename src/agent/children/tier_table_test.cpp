#include "agent/children/tier_table.hpp"

#include <algorithm>
#include <chrono>

#include <gmock/gmock.h>
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

TEST(TierTable, ExternalTierHasNoSockets) {
  site::Site site;
  site.datacenters.push_back({.name = "us-east"});
  auto has_session = [&] {
    auto table = TierTable(site, site.datacenters.front(), site::Hosting::kLab);
    return std::ranges::find(table, "session", &TierEntry::name) != table.end();
  };
  EXPECT_TRUE(has_session());
  site.externals["session"] = {.url = site::Secret("redis://r:6379"), .shown = "redis://r:6379"};
  EXPECT_FALSE(has_session());
}

TEST(TierTable, PeerPortsCrossFromOneDataCenterToAnother) {
  site::Site site;
  site.datacenters.push_back({.name = "us-east"});
  EXPECT_THAT(CrossingPorts(site),
              testing::UnorderedElementsAre(9000, 8080, 28000, site::PeerPort(6379)));
}

}  // namespace
}  // namespace meridian::agent
