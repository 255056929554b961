#include "agent/engines/prometheus_config.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/engines/engine_access.hpp"
#include "agent/engines/engine_fixture.hpp"
#include "agent/engines/external_scrape.hpp"
#include "base/result.hpp"
#include "site/secret.hpp"
#include "wire/json/value.hpp"

namespace meridian::agent {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using wire::json::Value;

// Behind its comment a configuration is JSON.
Value ReadConfig(const std::string& text) {
  EXPECT_TRUE(text.starts_with("#"));
  Result<Value> value = wire::json::Parse(text.substr(text.find('\n')));
  EXPECT_TRUE(value) << text;
  return value ? std::move(*value) : Value();
}

TEST(PrometheusConfig, IsTheTextInTheFile) {
  EngineWorld world;
  ExpectGolden(MERIDIAN_TESTDATA "/prometheus.yml",
               PrometheusConfig(world.place(), {.rules = "/opt/share/meridian/rules",
                                                .alertmanager_is_ready = true}));
  world.site.datacenters[0].address = IpAddress::V4(192, 0, 2, 1);
  world.site.datacenters[0].private_address = IpAddress::V4(10, 1, 0, 1);
  EnginePlace place = world.place();
  place.hosting = site::Hosting::kServers;
  ExpectGolden(MERIDIAN_TESTDATA "/prometheus_servers.yml", PrometheusConfig(place, {}));
}

TEST(PrometheusConfig, PathsWithLettersThatMeanSomethingArePathsStill) {
  EngineWorld world;
  const Value config =
      ReadConfig(PrometheusConfig(world.place(), {.rules = "/srv/[a]?/\"rules\""}));
  EXPECT_EQ(config.ElementsOf("rule_files")[0].text(), "/srv/\\[a]\\?/\"rules\"/*.yml");
  bool found = false;
  for (const Value& job : config.ElementsOf("scrape_configs")) {
    for (const Value& files : job.ElementsOf("file_sd_configs")) {
      EXPECT_EQ(files.ElementsOf("files")[0].text(), "targets.json");
    }
    if (job.TextOf("job_name") != "agent") continue;
    found = true;
    EXPECT_EQ(job.Find("authorization")->TextOf("credentials_file"),
              world.state.string() + "/watch-us-east/engines/metrics.password");
  }
  EXPECT_TRUE(found);
}

TEST(PrometheusConfig, AnAlertmanagerThatIsNotReadyIsNeitherScrapedNorToldAnything) {
  EngineWorld world;
  const std::string at = AlertmanagerEndpoint(world.place()).ToString();
  const std::string ready = PrometheusConfig(world.place(), {.alertmanager_is_ready = true});
  EXPECT_THAT(ready, HasSubstr(at));
  EXPECT_THAT(ready, HasSubstr("engines/alertmanager.password"));
  const std::string away = PrometheusConfig(world.place(), {.alertmanager_is_ready = false});
  EXPECT_THAT(away, Not(HasSubstr(at)));
  EXPECT_THAT(away, Not(HasSubstr("alertmanager.password")));
  EXPECT_THAT(away, HasSubstr("engines/prometheus.password"));
}

TEST(PrometheusConfig, TiersThatDoNotRunHereAreNotScraped) {
  EngineWorld world;
  auto tiers = [&](const PrometheusSettings& settings) {
    std::vector<std::string> names;
    for (const Value& job :
         ReadConfig(PrometheusConfig(world.place(), settings)).ElementsOf("scrape_configs")) {
      if (job.TextOf("job_name") != "tiers") continue;
      for (const Value& target : job.ElementsOf("static_configs")) {
        names.push_back(target.Find("labels")->TextOf("tier"));
      }
    }
    return names;
  };
  EXPECT_THAT(tiers({}), testing::ElementsAre("watch", "edge"));
  EXPECT_THAT(tiers({.roles = {"watch", "app"}}), testing::ElementsAre("watch"));
}

TEST(PrometheusConfig, RunsWhereTheSiteHasWatchAndAnApplication) {
  EngineWorld world;
  const auto& all = world.site.datacenters;
  EXPECT_TRUE(HasEngines(world.site, all[0]));
  EXPECT_FALSE(HasEngines(world.site, all[2]));
  world.site.externals["watch"] = {.url = site::Secret("http://a"), .shown = "http://a"};
  EXPECT_FALSE(HasEngines(world.site, all[0]));
  world.site.externals.clear();
  world.site.tiers.erase(world.site.tiers.begin());
  EXPECT_FALSE(HasEngines(world.site, all[0]));
}

TEST(PrometheusConfig, ArgumentsLetNobodyStopOrEraseIt) {
  EngineWorld world;
  const std::vector<std::string> arguments = PrometheusArguments(world.place());
  EXPECT_THAT(arguments, Contains("--config.file=prometheus.yml"));
  EXPECT_THAT(arguments, Contains("--web.listen-address=127.1.0.1:9601"));
  EXPECT_THAT(arguments, Contains("--storage.tsdb.retention.time=1296000s"));
  EXPECT_THAT(arguments, Contains("--storage.tsdb.retention.size=4294967296B"));
  EXPECT_THAT(arguments, Contains("--web.external-url=http://127.1.0.1:9000/prometheus"));
  for (const std::string& argument : arguments) {
    EXPECT_THAT(argument, Not(HasSubstr("enable-"))) << argument;
  }
}

TEST(PrometheusConfig, ListensOnLoopbackWhateverTheAddresses) {
  EngineWorld world;
  world.site.datacenters[0].address = IpAddress::V4(192, 0, 2, 1);
  world.site.datacenters[0].private_address = IpAddress::V4(10, 1, 0, 1);
  EnginePlace place = world.place();
  place.hosting = site::Hosting::kServers;
  EXPECT_EQ(PrometheusEndpoint(place).ToString(), "127.0.0.1:9601");
  EXPECT_EQ(AlertmanagerEndpoint(place).ToString(), "127.0.0.1:9602");
  EXPECT_EQ(EngineUrl(place, kPrometheusPath), "https://10.1.0.1:9000/prometheus");
}

TEST(TargetsFile, HasInstancesAndWorkers) {
  EngineWorld world;
  const Result<Value> file = wire::json::Parse(
      TargetsFile(world.site.datacenters[0], {{.at = {IpAddress::V4(127, 0, 0, 1), 10001},
                                               .tier = "app",
                                               .instance = "us-east-1",
                                               .release = "\"2\\",
                                               .metrics_path = "/metrics"},
                                              {.at = {IpAddress::V4(127, 0, 0, 1), 10002},
                                               .tier = "worker",
                                               .instance = "us-east.cron-1",
                                               .release = "2",
                                               .worker = "cron",
                                               .metrics_path = "/stats"}}));
  ASSERT_TRUE(file);
  ASSERT_EQ(file->elements().size(), 2u);
  const Value& app = file->elements()[0];
  EXPECT_EQ(app.ElementsOf("targets")[0].text(), "127.0.0.1:10001");
  EXPECT_EQ(app.Find("labels")->TextOf("release"), "\"2\\");
  EXPECT_EQ(app.Find("labels")->TextOf("dc"), "us-east");
  EXPECT_EQ(app.Find("labels")->Find("worker"), nullptr);
  const Value& worker = file->elements()[1];
  EXPECT_EQ(worker.Find("labels")->TextOf("worker"), "cron");
  EXPECT_EQ(worker.Find("labels")->TextOf("__metrics_path__"), "/stats");
  EXPECT_EQ(TargetsFile(world.site.datacenters[0], {}), "[]\n");
}

TEST(ExternalScrape, NamesEveryTierOfEveryPlaceAtItsAgent) {
  EngineWorld world;
  const site::Secret password("0123");
  const Value config = ReadConfig(
      ExternalScrapeConfig({.site = world.site,
                            .datacenters = {&world.site.datacenters[1], &world.site.datacenters[2]},
                            .password = password,
                            .authority = "/srv/ca/authority.pem"}));
  std::vector<std::string> paths;
  for (const Value& job : config.ElementsOf("scrape_configs")) {
    EXPECT_EQ(job.Find("authorization")->TextOf("credentials"), "0123");
    for (const Value& target : job.ElementsOf("static_configs")) {
      paths.push_back(target.Find("labels")->TextOf("dc") +
                      target.Find("labels")->TextOf("__metrics_path__"));
    }
  }
  EXPECT_THAT(paths, testing::ElementsAre("us-west/metrics", "us-west/.meridian/metrics/watch",
                                          "us-west/.meridian/metrics/edge", "london/metrics",
                                          "london/.meridian/metrics/edge"));
}

}  // namespace
}  // namespace meridian::agent
