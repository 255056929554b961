#include "site/tier/threads.hpp"

#include <gtest/gtest.h>

#include "site/limits.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"

namespace meridian::site {
namespace {

Site SiteWith(size_t data_centers) {
  Site site;
  site.datacenters.resize(data_centers);
  return site;
}

TEST(Threads, ATierHasAThreadForEachCoreOfTheMachine) {
  EXPECT_EQ(ThreadsOf(SiteWith(2), "edge", Hosting::kServers, 8), 8);
  EXPECT_EQ(ThreadsOf(SiteWith(2), "edge", Hosting::kServers, 1000), kMaxThreads);
}

TEST(Threads, TheDataCentersOfALabDivideTheCores) {
  EXPECT_EQ(ThreadsOf(SiteWith(3), "edge", Hosting::kLab, 8), 2);
  EXPECT_EQ(ThreadsOf(SiteWith(3), "edge", Hosting::kLab, 2), 1);
}

TEST(Threads, TheCoresOfTheAgentReplaceThoseOfTheMachine) {
  Site site = SiteWith(2);
  site.agent.cores = 6;
  EXPECT_EQ(ThreadsOf(site, "edge", Hosting::kServers, 2), 6);
  EXPECT_EQ(ThreadsOf(site, "edge", Hosting::kLab, 2), 6);
}

TEST(Threads, TheTiersOwnNumberCountsFirst) {
  Site site = SiteWith(2);
  site.agent.cores = 6;
  site.threads["edge"] = 3;
  EXPECT_EQ(ThreadsOf(site, "edge", Hosting::kLab, 2), 3);
  EXPECT_EQ(ThreadsOf(site, "dns", Hosting::kLab, 2), 6);
}

}  // namespace
}  // namespace meridian::site
