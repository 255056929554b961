#include "dispatch/config.hpp"

#include <expected>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "site/load/load.hpp"

namespace meridian::dispatch {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::expected<site::Site, site::Diagnostics> Parsed(const std::string& balancer) {
  constexpr const char* kSite =
      "domain = \"photos.example\"\n[[datacenter]]\nname = \"us-east\"\naddress = \"127.1.0.1\"\n"
      "location = \"Ashburn\"\n[app]\ncommand = [\"node\", \"server.js\"]\n[balancer]\n";
  std::vector<site::TierDescription> tiers = {{.name = "balancer", .section = ConfigSection()}};
  return site::Parse({.text = kSite + balancer, .file = "/srv/photos/site.toml"}, tiers);
}

TEST(DispatchConfig, NoProxyIsTrustedByDefault) {
  const Config plain = Parsed("")->sections.Get<Config>();
  EXPECT_TRUE(plain.forwarded_from.empty());
  EXPECT_FALSE(plain.underscores);
  auto site = Parsed("forwarded_from = [\"192.0.2.0/24\"]\nunderscores = true\n");
  ASSERT_TRUE(site) << site.error().Render();
  const Config& config = site->sections.Get<Config>();
  ASSERT_EQ(config.forwarded_from.size(), 1U);
  EXPECT_TRUE(config.forwarded_from.front().Contains(IpAddress::V4(192, 0, 2, 7)));
  EXPECT_TRUE(config.underscores);
}

TEST(DispatchConfig, AnInvalidPrefixIsAnError) {
  auto site = Parsed("forwarded_from = [\"everybody\"]\n");
  ASSERT_FALSE(site);
  EXPECT_THAT(site.error().Render(), AllOf(HasSubstr("forwarded_from"), HasSubstr("192.0.2.0/24")));
}

}  // namespace
}  // namespace meridian::dispatch
