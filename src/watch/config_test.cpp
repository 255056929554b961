#include "watch/config.hpp"

#include <chrono>
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
}

TEST(WatchConfig, PrometheusKeepsMetricsWithinTimeAndBytes) {
  auto site = Parse(
      "[watch]\nprometheus_port = 9701\nalertmanager_port = 9702\n"
      "metrics_retention = \"30d\"\nmetrics_size = \"1GiB\"\n");
  ASSERT_TRUE(site) << site.error().Render();
  EXPECT_EQ(site->ports.prometheus, 9701);
  EXPECT_EQ(site->ports.alertmanager, 9702);
  const auto& config = site->sections.Get<Config>();
  EXPECT_EQ(config.metrics_retention, std::chrono::days{30});
  EXPECT_EQ(config.metrics_bytes, uint64_t{1} << 30);
  EXPECT_THAT(ErrorsOf("[watch]\nmetrics_retention = \"1h\"\n"), HasSubstr("metrics_retention"));
  EXPECT_THAT(ErrorsOf("[watch]\nmetrics_size = \"255MiB\"\n"), HasSubstr("metrics_size"));
  EXPECT_THAT(ErrorsOf("[watch]\nprometheus_port = 9600\n"), HasSubstr("prometheus_port"));
}

TEST(WatchConfig, AnExternalPrometheusReplacesTheEnginesAndNotTheLogStore) {
  auto site = Parse("[watch]\nexternal = \"http://a:9090/api/v1/write\"\n");
  ASSERT_TRUE(site) << site.error().Render();
  EXPECT_EQ(site->externals.at("watch").shown, "http://a:9090");
  EXPECT_TRUE(site->tiers[0].runs_with_external);
  EXPECT_THAT(ErrorsOf("[watch]\nexternal = \"ftp://a\"\n"), HasSubstr("http:// or https://"));
  EXPECT_THAT(ErrorsOf("[watch]\nexternal = \"http://u:p@a\"\n"), HasSubstr("no place"));
}

TEST(WatchConfig, SecretsOfNoticesAreNamesOfVariables) {
  auto site = Parse(
      "[watch]\nwebhook = \"https://hooks.example/alerts\"\nslack = \"$SLACK\"\n"
      "email = \"ops@photos.example\"\nemail_from = \"alerts@photos.example\"\n"
      "smtp = \"smtp.photos.example:587\"\nsmtp_user = \"alerts\"\nsmtp_password = "
      "\"$SMTP_PASSWORD\"\nsmtp_tls = false\n");
  ASSERT_TRUE(site) << site.error().Render();
  const Notices expected{.webhook = "https://hooks.example/alerts",
                         .slack = "$SLACK",
                         .email = "ops@photos.example",
                         .email_from = "alerts@photos.example",
                         .smtp = "smtp.photos.example:587",
                         .smtp_user = "alerts",
                         .smtp_password = "$SMTP_PASSWORD",
                         .smtp_tls = false};
  EXPECT_EQ(site->sections.Get<Config>().notices, expected);
  for (const char* wrong : {"slack = \"https://hooks.slack.com/services/T0/B0/x\"",
                            "smtp_password = \"hunter2\"", "slack = \"$\"", "slack = \"$1\"",
                            "webhook = \"https://u:hunter2@a/\"", "webhook = \"ftp://a/\""}) {
    const std::string errors = ErrorsOf(std::string("[watch]\n") + wrong + "\n");
    EXPECT_THAT(errors, HasSubstr("$NAME")) << wrong;
  }
  EXPECT_THAT(ErrorsOf("[watch]\nemail = \"a@b.example\"\n"), HasSubstr("email_from"));
  EXPECT_THAT(ErrorsOf("[watch]\nsmtp = \"smtp.example\"\n"), HasSubstr("host and port"));
}

}  // namespace
}  // namespace meridian::watch
