#include "watch/config.hpp"

#include <expected>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "site/load/load.hpp"
#include "watch/watch.hpp"

namespace meridian::watch {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kSite = R"(domain = "photos.example"
[[datacenter]]
name = "us-east"
address = "127.1.0.1"
location = "Ashburn"
[app]
command = ["true"]
)";

std::expected<site::Site, site::Diagnostics> Parse(const std::string& text) {
  std::vector<site::TierDescription> tiers = {Describe()};
  return site::Parse({.text = kSite + text, .file = "/srv/photos/site.toml"}, tiers);
}

std::string ErrorsOf(const std::string& text) {
  auto site = Parse(text);
  return site ? "no errors" : site.error().Render();
}

TEST(WatchConfig, TheTierRunsWhereTheFileHasItsTable) {
  auto without = Parse("");
  ASSERT_TRUE(without);
  EXPECT_THAT(without->tiers, IsEmpty());
  auto with = Parse("[watch]\n");
  ASSERT_TRUE(with) << with.error().Render();
  ASSERT_EQ(with->tiers.size(), 1U);
  EXPECT_EQ(with->tiers[0].name, "watch");
  EXPECT_FALSE(with->tiers[0].needed_to_serve);
  EXPECT_EQ(with->ports.watch, 9600);
  EXPECT_EQ(with->sections.Get<Config>().log_bytes, uint64_t{4} << 30);
}

TEST(WatchConfig, KeysAreReadWithinTheirLimits) {
  auto site = Parse("[watch]\nport = 9700\nlog_size = \"64MiB\"\n");
  ASSERT_TRUE(site) << site.error().Render();
  EXPECT_EQ(site->ports.watch, 9700);
  EXPECT_EQ(site->sections.Get<Config>().log_bytes, uint64_t{64} << 20);
  EXPECT_THAT(ErrorsOf("[watch]\nlog_size = \"63MiB\"\n"), HasSubstr("log_size"));
  EXPECT_THAT(ErrorsOf("[watch]\nlog_size = \"4 GB\"\n"), HasSubstr("log_size"));
  EXPECT_EQ(site->sections.Get<Config>().copy_bytes, uint64_t{512} << 20);
  EXPECT_THAT(ErrorsOf("[watch]\ncopies_size = \"15MiB\"\n"), HasSubstr("copies_size"));
  EXPECT_FALSE(site->sections.Get<Config>().access_log);
  auto other = Parse("[watch]\naccess_log = true\ncopies_size = \"1GiB\"\n");
  ASSERT_TRUE(other) << other.error().Render();
  EXPECT_EQ(other->sections.Get<Config>().copy_bytes, uint64_t{1} << 30);
  EXPECT_TRUE(other->sections.Get<Config>().access_log);
  EXPECT_THAT(ErrorsOf("[watch]\naccess_log = 1\n"), HasSubstr("access_log"));
  EXPECT_THAT(ErrorsOf("[watch]\nexternal = \"http://a:9090\"\n"), HasSubstr("external"));
}

}  // namespace
}  // namespace meridian::watch
