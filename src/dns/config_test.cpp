#include "dns/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dns/limits.hpp"
#include "site/load/load.hpp"

namespace meridian::dns {
namespace {

using testing::HasSubstr;

constexpr const char* kSite = R"(domain = "photos.example"
[[datacenter]]
name = "us-east"
address = "127.1.0.1"
location = "Ashburn"
[[datacenter]]
name = "us-west"
address = "127.2.0.1"
location = "San Jose"
[app]
command = ["node", "server.js"]
)";

constexpr const char* kPlaces = R"(
[[dns.place]]
name = "oregon"
prefix = "203.0.113.0/24"
latitude = 45.52
longitude = -122.68
)";

std::expected<site::Site, site::Diagnostics> Parsed(const std::string& text) {
  std::vector<site::TierDescription> tiers = {
      {.name = "dns", .ports = {{.port = &site::Ports::dns}}, .section = ConfigSection()}};
  return site::Parse({.text = kSite + text, .file = "/srv/photos/site.toml"}, tiers);
}

Config ConfigOf(const std::string& text) {
  auto site = Parsed(text);
  EXPECT_TRUE(site) << site.error().Render();
  return site ? site->sections.Get<Config>() : Config();
}

std::string ErrorOf(const std::string& text) {
  auto site = Parsed(text);
  return site ? "no error" : site.error().Render();
}

TEST(DnsConfig, WithoutATableSteersToTheNearest) {
  Config config = ConfigOf("");
  EXPECT_EQ(config.mode, SteeringMode::kNearest);
  EXPECT_FALSE(config.ttl);
  EXPECT_TRUE(config.geo_database.empty());
  EXPECT_TRUE(config.places.empty());
}

TEST(DnsConfig, EveryKeyIsRead) {
  Config config = ConfigOf(std::string(R"([dns]
port = 53
steering = "map"
ttl = "2m"
geo_database = "geo/city.mmdb"
map = { oregon = "us-west", "198.51.100.0/25" = "us-east" }
)") + kPlaces);
  EXPECT_EQ(config.mode, SteeringMode::kMapped);
  EXPECT_EQ(config.ttl, std::chrono::minutes{2});
  EXPECT_EQ(config.geo_database, "/srv/photos/geo/city.mmdb");
  ASSERT_EQ(config.places.size(), 1U);
  EXPECT_EQ(config.places[0].name, "oregon");
  EXPECT_EQ(config.places[0].prefix.ToString(), "203.0.113.0/24");
  EXPECT_EQ(config.places[0].location, (Location{45.52, -122.68}));
  using ByPlace = std::vector<std::pair<std::string, uint8_t>>;
  EXPECT_EQ(config.map.by_place, (ByPlace{{"oregon", 1}}));
  ASSERT_EQ(config.map.by_prefix.size(), 1U);
  EXPECT_EQ(config.map.by_prefix[0].second, 0);
}

TEST(DnsConfig, TtlIsWholeSecondsWithinBounds) {
  EXPECT_EQ(ConfigOf("[dns]\nttl = \"1s\"\n").ttl, kMinTtl);
  EXPECT_EQ(ConfigOf("[dns]\nttl = \"24h\"\n").ttl, kMaxTtl);
  EXPECT_THAT(ErrorOf("[dns]\nttl = \"999ms\"\n"), HasSubstr("ttl"));
  EXPECT_THAT(ErrorOf("[dns]\nttl = \"86401s\"\n"), HasSubstr("ttl"));
  EXPECT_THAT(ErrorOf("[dns]\nttl = \"1500ms\"\n"), HasSubstr("whole number of seconds"));
}

TEST(DnsConfig, MistakesAreNamed) {
  EXPECT_THAT(ErrorOf("[dns]\nsteering = \"closest\"\n"), HasSubstr("nearest"));
  EXPECT_THAT(ErrorOf("[dns]\nsteering = \"map\"\n"), HasSubstr("needs a table [dns.map]"));
  EXPECT_THAT(ErrorOf("[dns.map]\n\"10.0.0.0/8\" = \"us-east\"\n"),
              HasSubstr("only with steering = \"map\""));
  EXPECT_THAT(ErrorOf(std::string(kPlaces) + kPlaces), HasSubstr("already a place, in line 15"));
  std::string mapped = "[dns]\nsteering = \"map\"\n";
  EXPECT_THAT(ErrorOf(mapped + "map = { oregn = \"us-west\" }\n" + kPlaces),
              HasSubstr("did you mean \"oregon\"?"));
  EXPECT_THAT(ErrorOf(mapped + "map = { oregon = \"us-wst\" }\n" + kPlaces), HasSubstr("us-west"));
  EXPECT_THAT(ErrorOf(mapped + "map = { \"10.0.0.1/8\" = \"us-west\" }\n"),
              HasSubstr("10.0.0.0/8"));
  EXPECT_THAT(
      ErrorOf(mapped + "map = { \"10.0.0.1\" = \"us-west\", \"10.0.0.1/32\" = \"us-east\" }\n"),
      HasSubstr("stands twice"));
}

}  // namespace
}  // namespace meridian::dns
