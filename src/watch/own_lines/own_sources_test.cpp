#include "watch/own_lines/own_sources.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "site/site.hpp"
#include "site/tier_description.hpp"
#include "watch/own_lines/limits.hpp"

namespace meridian::watch {
namespace {

using testing::ElementsAre;

site::Site ExampleSite() {
  site::Site site;
  site.datacenters.push_back({.name = "london"});
  site.datacenters[0].edge_only = true;
  site.datacenters.push_back({.name = "us-east"});
  site.datacenters.push_back({.name = "us-west"});
  site.tiers = {{.name = "edge", .ports = {{.port = &site::Ports::edge}}},
                {.name = "session", .ports = {{.port = &site::Ports::session}}},
                {.name = "watch", .ports = {{.port = &site::Ports::watch}}}};
  return site;
}

std::vector<std::string> PathsOf(const OwnPlace& place) {
  std::vector<std::string> paths;
  for (const OwnSource& source : OwnSourcesOf(place)) paths.push_back(source.path);
  return paths;
}

TEST(OwnSources, TiersAndAgentHaveOneEach) {
  site::Site site = ExampleSite();
  site.externals["session"] = {.url = site::Secret("redis://r:6379"), .shown = "redis://r:6379"};
  const OwnPlace place{.site = site, .here = site.datacenters[1], .state_directory = "/s"};
  EXPECT_THAT(PathsOf(place),
              ElementsAre("/s/logs/us-east/edge.log", "/s/logs/us-east/watch.log",
                          "/s/logs/us-east/agent.log", "/s/logs/us-east/prometheus.log",
                          "/s/logs/us-east/alertmanager.log"));
  const std::vector<OwnSource> sources = OwnSourcesOf(place);
  EXPECT_EQ(sources[1].limits.burst_bytes, kWatchSourceLimits.burst_bytes);
  EXPECT_TRUE(sources[2].skips_output);
  EXPECT_FALSE(sources[0].skips_output);
}

TEST(OwnSources, WithAnExternalPrometheusTheTierItselfIsStillRead) {
  site::Site site = ExampleSite();
  site.tiers[2].runs_with_external = true;
  site.externals["watch"] = {.url = site::Secret("http://p:9090"), .shown = "http://p:9090"};
  EXPECT_THAT(PathsOf({.site = site, .here = site.datacenters[1], .state_directory = "/s"}),
              ElementsAre("/s/logs/us-east/edge.log", "/s/logs/us-east/session.log",
                          "/s/logs/us-east/watch.log", "/s/logs/us-east/agent.log"));
}

TEST(OwnSources, TheAccessLogIsReadWhereItIsWanted) {
  site::Site site = ExampleSite();
  const auto sources = OwnSourcesOf(
      {.site = site, .here = site.datacenters[1], .state_directory = "/s", .access_log = true});
  EXPECT_EQ(sources.back().path, "/s/logs/us-east/access.log");
  EXPECT_EQ(sources.back().tier, "edge");
  EXPECT_EQ(sources.back().name, "access");
}

TEST(OwnSources, TheLabsLogBelongsToTheFirstDataCenterThatKeepsLines) {
  site::Site site = ExampleSite();
  auto last = [&](size_t place) {
    return PathsOf({.site = site,
                    .here = site.datacenters[place],
                    .hosting = site::Hosting::kLab,
                    .state_directory = "/s"})
        .back();
  };
  EXPECT_EQ(last(1), "/s/logs/lab.log");
  EXPECT_EQ(last(2), "/s/logs/us-west/alertmanager.log");
}

}  // namespace
}  // namespace meridian::watch
