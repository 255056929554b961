#include "edge/config.hpp"

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "edge/visitors/access_rule.hpp"
#include "site/load/load.hpp"

namespace meridian::edge {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kSite = R"(domain = "photos.example"
[[datacenter]]
name = "us-east"
address = "127.1.0.1"
location = "Ashburn"
[app]
command = ["node", "server.js"]
)";

std::expected<site::Site, site::Diagnostics> Parsed(const std::string& text) {
  std::vector<site::TierDescription> tiers = {{.name = "edge", .section = ConfigSection()}};
  return site::Parse({.text = kSite + text, .file = "/srv/photos/site.toml"}, tiers);
}

Prices PricesOf(const std::string& text) {
  auto site = Parsed(text);
  EXPECT_TRUE(site) << site.error().Render();
  return site ? site->sections.Get<Config>().prices : Prices();
}

std::string ErrorOf(const std::string& text) {
  auto site = Parsed("[edge.cost]\n" + text);
  return site ? "no error" : site.error().Render();
}

TEST(EdgeConfig, UnderscoresPassOnlyWhenEnabled) {
  EXPECT_FALSE(Parsed("")->sections.Get<Config>().underscores);
  EXPECT_TRUE(Parsed("[edge]\nunderscores = true\n")->sections.Get<Config>().underscores);
  auto wrong = Parsed("[edge]\nunderscores = \"yes\"\npurge_from = [\"everybody\"]\n");
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().Render(), AllOf(HasSubstr("underscores"), HasSubstr("192.0.2.0/24")));
}

TEST(EdgeConfig, TheAccessLogIsAWordOrAShare) {
  auto rule = [](const std::string& value) {
    return Parsed("[edge]\naccess_log = " + value + "\n")->sections.Get<Config>().access_log;
  };
  EXPECT_EQ(Parsed("")->sections.Get<Config>().access_log, std::nullopt);
  EXPECT_EQ(rule("\"all\""), kLogAll);
  EXPECT_EQ(rule("\"off\""), kLogOff);
  EXPECT_EQ(rule("\"errors\""), kLogErrors);
  EXPECT_EQ(rule("\"1%\""), kLogErrorsAndFew);
  for (const char* wrong : {"\"some\"", "\"101%\"", "\"\"", "1", "true"}) {
    auto site = Parsed(std::string("[edge]\naccess_log = ") + wrong + "\n");
    ASSERT_FALSE(site) << wrong;
    EXPECT_THAT(site.error().Render(), HasSubstr("access_log")) << wrong;
  }
  EXPECT_THAT(Parsed("[edge]\naccess_log = \"some\"\n").error().Render(),
              AllOf(HasSubstr("a share"), HasSubstr("\"1%\"")));
}

TEST(EdgeConfig, ErrorsAreStoredByDefault) {
  EXPECT_TRUE(Parsed("")->sections.Get<Config>().cache.store_errors);
  EXPECT_FALSE(Parsed("[edge]\nstore_errors = false\n")->sections.Get<Config>().cache.store_errors);
  auto wrong = Parsed("[edge]\nstore_errors = 1\n");
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().Render(), HasSubstr("store_errors"));
}

TEST(EdgeConfig, ResponsesWithSetCookieAreStoredOnlyWhenEnabled) {
  EXPECT_FALSE(Parsed("")->sections.Get<Config>().cache.store_set_cookie);
  EXPECT_TRUE(
      Parsed("[edge]\nstore_set_cookie = true\n")->sections.Get<Config>().cache.store_set_cookie);
  auto wrong = Parsed("[edge]\nstore_set_cookie = \"public\"\n");
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().Render(), HasSubstr("store_set_cookie"));
}

TEST(EdgeConfig, StaleOnFailureIsFromZeroToThirtyDays) {
  auto of = [](const std::string& value) {
    auto site = Parsed("[edge]\nstale_on_failure = " + value + "\n");
    return site ? std::optional(site->sections.Get<Config>().cache.stale_on_failure) : std::nullopt;
  };
  EXPECT_EQ(Parsed("")->sections.Get<Config>().cache.stale_on_failure, std::chrono::hours{1});
  EXPECT_EQ(of("\"0s\""), Duration::zero());
  EXPECT_EQ(of("\"720h\""), std::chrono::hours{720});
  EXPECT_EQ(of("\"721h\""), std::nullopt);
  EXPECT_EQ(of("3600"), std::nullopt);
}

TEST(EdgeCost, WithoutATableAllPricesAreZero) { EXPECT_EQ(PricesOf(""), Prices()); }

TEST(EdgeCost, EveryKeyIsRead) {
  const Prices prices = PricesOf(R"([edge.cost]
currency = "EUR"
per_gb_to_visitors = 0.085
per_gb_from_origin = 0.02
per_gb_between = 0.01
per_million_requests = 1
)");
  EXPECT_EQ(prices, (Prices{.currency = "EUR",
                            .per_gb_to_visitors = 0.085,
                            .per_gb_from_origin = 0.02,
                            .per_gb_between = 0.01,
                            .per_million_requests = 1}));
}

TEST(EdgeCost, APriceIsFromZeroToAMillion) {
  EXPECT_EQ(ErrorOf("per_gb_between = 0"), "no error");
  EXPECT_EQ(ErrorOf("per_gb_between = 1000000"), "no error");
  EXPECT_THAT(ErrorOf("per_gb_between = -0.01"), HasSubstr("per_gb_between"));
  EXPECT_THAT(ErrorOf("per_gb_between = 1000000.01"), HasSubstr("per_gb_between"));
  EXPECT_THAT(ErrorOf("per_gb_between = nan"), HasSubstr("per_gb_between"));
}

TEST(EdgeCost, ACurrencyIsAShortText) {
  EXPECT_EQ(ErrorOf("currency = \"12345678\""), "no error");
  EXPECT_THAT(ErrorOf("currency = \"123456789\""), HasSubstr("currency"));
  EXPECT_THAT(ErrorOf("currency = \"\""), HasSubstr("currency"));
  EXPECT_THAT(ErrorOf("currency = \"a\\u0007\""), HasSubstr("currency"));
}

TEST(EdgeCost, AllMistakesAreNamedInOnePassAndTheNearestKeyIsShown) {
  EXPECT_THAT(
      ErrorOf("per_gb_to_visitor = 1\nper_million_requests = \"many\"\n"),
      AllOf(HasSubstr("per_gb_to_visitors"), HasSubstr("site.toml:10"), HasSubstr("site.toml:9")));
}

}  // namespace
}  // namespace meridian::edge
