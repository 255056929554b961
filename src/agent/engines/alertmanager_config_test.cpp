#include "agent/engines/alertmanager_config.hpp"

#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/engines/engine_access.hpp"
#include "agent/engines/engine_fixture.hpp"
#include "base/result.hpp"
#include "site/secret.hpp"
#include "watch/config.hpp"
#include "wire/json/value.hpp"

namespace meridian::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const watch::Notices kAll{.webhook = "https://hooks.example/\"a\": {b} # 'c'",
                          .slack = "https://hooks.slack.com/services/T/B/x",
                          .email = "ops@photos.example",
                          .email_from = "alerts@photos.example",
                          .smtp = "smtp.photos.example:587",
                          .smtp_user = "alerts",
                          .smtp_password = "hunter2\\\"\n: x"};

TEST(AlertmanagerConfig, IsTheTextInTheFile) {
  ExpectGolden(MERIDIAN_TESTDATA "/alertmanager.yml", AlertmanagerConfig(kAll, true));
  ExpectGolden(MERIDIAN_TESTDATA "/alertmanager_none.yml", AlertmanagerConfig({}, false));
}

TEST(AlertmanagerConfig, OnlyTheOwnerSendsWhatConcernsTheSite) {
  EXPECT_THAT(AlertmanagerConfig(kAll, false), HasSubstr(R"("scope=\"site\"")"));
  EXPECT_THAT(AlertmanagerConfig(kAll, true), Not(HasSubstr("scope")));
}

TEST(AlertmanagerConfig, GossipsWithNobody) {
  const std::vector<std::string> arguments = AlertmanagerArguments(EngineWorld().place());
  EXPECT_THAT(arguments, testing::Contains("--cluster.listen-address="));
  EXPECT_THAT(arguments, testing::Contains("--web.listen-address=127.1.0.1:9602"));
}

std::optional<std::string> Variable(const std::string& name) {
  if (name == "HOOK") return "https://u:hunter2@hooks.example/";
  if (name == "NOT_A_URL") return "hunter2";
  if (name == "PASSWORD") return "$tr4nge";
  return std::nullopt;
}

TEST(ResolveNotices, ValuesTakeThePlaceOfVariables) {
  const ResolvedNotices found = ResolveNotices({.webhook = "$HOOK",
                                                .email = "a@b.example",
                                                .email_from = "b@b.example",
                                                .smtp = "c:25",
                                                .smtp_password = "$PASSWORD"},
                                               &Variable);
  EXPECT_EQ(found.problem, "");
  EXPECT_EQ(found.notices.webhook, "https://u:hunter2@hooks.example/");
  EXPECT_EQ(found.notices.smtp_password, "$tr4nge");
  EXPECT_THAT(found.secrets, ElementsAre("https://u:hunter2@hooks.example/", "$tr4nge"));
  EXPECT_EQ(ResolveNotices(kAll, &Variable).notices, kAll);
  EXPECT_THAT(ResolveNotices(kAll, &Variable).secrets, IsEmpty());
}

std::optional<std::string> Itself(const std::string& name) { return name; }

TEST(ResolveNotices, AUrlThatAlertmanagerWouldRefuseIsLeftOut) {
  for (const char* url :
       {"https://", "http://[", "https:///path", "https://a b/", "https://hooks.example/%zz",
        "https://hooks.example/100%", "https://u:p w@hooks.example/", "https://u:p%@hooks.example/",
        "ftp://hooks.example/", "hooks.example", "https://hooks.example:port/",
        "https://hooks.example/a\nb"}) {
    const ResolvedNotices found = ResolveNotices({.webhook = std::string("$") + url}, &Itself);
    EXPECT_EQ(found.notices.webhook, "") << url;
    EXPECT_THAT(found.problem, HasSubstr("holds no URL")) << url;
  }
  for (const char* url : {"https://hooks.example", "http://u:p%40w!@127.0.0.1:80/a?b=c%20d#e",
                          "https://u@[::1]:8443/", "https://hooks.example/services/T0/B1"}) {
    EXPECT_EQ(ResolveNotices({.webhook = std::string("$") + url}, &Itself).notices.webhook, url);
  }
}

TEST(ResolveNotices, AReceiverWithoutItsVariableIsLeftOutAndNamed) {
  const ResolvedNotices found = ResolveNotices({.webhook = "$NOT_A_URL",
                                                .slack = "$MISSING",
                                                .email = "a@b.example",
                                                .smtp = "c:25",
                                                .smtp_password = "$GONE"},
                                               &Variable);
  EXPECT_THAT(found.notices.webhook, IsEmpty());
  EXPECT_THAT(found.notices.slack, IsEmpty());
  EXPECT_THAT(found.notices.email, IsEmpty());
  for (const char* named : {"webhook", "MISSING", "GONE"}) {
    EXPECT_THAT(found.problem, HasSubstr(named));
  }
  EXPECT_THAT(found.problem, Not(HasSubstr("hunter2")));
}

TEST(EngineWebConfig, HoldsAHashAndIsAlwaysTheSame) {
  const site::Secret password(std::string(64, 'f'));
  const std::string text = EngineWebConfig(password);
  EXPECT_EQ(text, EngineWebConfig(password));
  EXPECT_THAT(text, Not(HasSubstr(password.Reveal())));
  const Result<wire::json::Value> config = wire::json::Parse(text.substr(text.find('\n')));
  ASSERT_TRUE(config) << text;
  // bcrypt, 2^4 rounds: 22 letters of salt and 31 of hash.
  EXPECT_THAT(config->Find("basic_auth_users")->TextOf("meridian"),
              testing::MatchesRegex("\\$2b\\$04\\$[./A-Za-z0-9]{53}"));
  EXPECT_NE(text, EngineWebConfig(site::Secret(std::string(64, 'e'))));
}

}  // namespace
}  // namespace meridian::agent
