// What instances are told of the visitor, by senders that know him and by others.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dispatch/dispatcher_fixture.hpp"

namespace meridian::dispatch {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kClaims =
    "X-Forwarded-For: 6.6.6.6\r\nX_Forwarded_For: 6.6.6.7\r\nX-Original-URL: /admin\r\n"
    "Api_Key: 1\r\nX-Forwarded-Host: b\r\nAccept: text/html\r\n";

class ForwardedTest : public DispatcherFixture {
 protected:
  std::string Told(const std::string& fields) {
    Run([&]() -> io::Task<void> {
      SetInstances({1});
      std::string answer = co_await Ask("GET", "/", fields);
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
    });
    return network_[1].head;
  }
};

TEST_F(ForwardedTest, AVisitorAtABalancerThatStandsAlonePassedForAnother) {
  const std::string head = Told(kClaims);
  EXPECT_THAT(head, HasSubstr("X-Forwarded-For: 127.0.0.1\r\n"));
  EXPECT_THAT(head, HasSubstr("X-Forwarded-Host: a\r\n"));
  EXPECT_THAT(head, HasSubstr("X-Forwarded-Proto: http\r\n"));
  EXPECT_THAT(head, HasSubstr("Accept: text/html\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("6.6.6.")));
  EXPECT_THAT(head, Not(HasSubstr("/admin")));
  EXPECT_THAT(head, Not(HasSubstr("Api_Key")));
}

TEST_F(ForwardedTest, AnEdgeIsBelievedButNotItsLookAlikes) {
  edge_address_ = IpAddress::V4(127, 0, 0, 1);
  const std::string head = Told(kClaims);
  EXPECT_THAT(head, HasSubstr("X-Forwarded-For: 6.6.6.6\r\n"));
  EXPECT_THAT(head, HasSubstr("X-Forwarded-Host: b\r\n"));
  EXPECT_THAT(head, HasSubstr("Api_Key: 1\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("6.6.6.7")));
  EXPECT_THAT(head, Not(HasSubstr("/admin")));
}

TEST_F(ForwardedTest, AProxyThatIsNamedIsBelieved) {
  config_.forwarded_from = {*IpPrefix::Parse("127.0.0.0/8")};
  EXPECT_THAT(Told(kClaims), HasSubstr("X-Forwarded-For: 6.6.6.6\r\n"));
}

TEST_F(ForwardedTest, HarmlessNamesWithUnderscoresPassWhereTheyMay) {
  config_.underscores = true;
  const std::string head = Told(kClaims);
  EXPECT_THAT(head, HasSubstr("Api_Key: 1\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("6.6.6.")));
}

}  // namespace
}  // namespace meridian::dispatch
