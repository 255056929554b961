// What instances are told of the visitor, by senders that know him and by others; and what is
// answered when there is no instance.
#include "balancer/handler.hpp"

#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dispatch/dispatcher_fixture.hpp"

namespace meridian::balancer {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kClaims =
    "X-Forwarded-For: 6.6.6.6\r\nX_Forwarded_For: 6.6.6.7\r\nX-Original-URL: /admin\r\n"
    "Api_Key: 1\r\nX-Forwarded-Host: b\r\nAccept: text/html\r\n";

class HandlerTest : public dispatch::DispatcherFixture {
 protected:
  http::Server::Handler MakeHandler() override {
    handler_ = std::make_unique<Handler>(*dispatcher_, config_, edge_address_, metrics_);
    return [this](http::Exchange& exchange) { return handler_->Handle(exchange); };
  }
  std::string Told(const std::string& fields) {
    Run([&]() -> io::Task<void> {
      SetInstances({1});
      std::string answer = co_await Ask("GET", "/", fields);
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
    });
    return network_[1].head;
  }

  IpAddress edge_address_;
  std::unique_ptr<Handler> handler_;
};

TEST_F(HandlerTest, WhenNoInstanceCouldBeGivenItAnotherDataCenterMayBeAsked) {
  Run([&]() -> io::Task<void> {
    const std::string answer = co_await Ask("POST");
    EXPECT_THAT(answer, HasSubstr("HTTP/1.1 503 "));
    EXPECT_THAT(answer, HasSubstr("Retry-After: 1\r\n"));
    EXPECT_THAT(answer, HasSubstr("Meridian-Unavailable: 1\r\n"));
    EXPECT_EQ(Metric("meridian_balancer_unavailable_total"), 1);
  });
}

TEST_F(HandlerTest, WhatIsTooMuchHereDoesNotGoOnToOverrunAnotherDataCenter) {
  config_.max_in_flight = 1;
  config_.max_queued = 0;
  Run([&]() -> io::Task<void> {
    SetInstances({1});
    network_[1].holds = true;
    io::Scope asking(loop_);
    std::string first;
    asking.Spawn(StoreAnswer("/", &first));
    co_await Yield();
    const std::string answer = co_await Ask("GET");
    EXPECT_THAT(answer, HasSubstr("HTTP/1.1 503 "));
    EXPECT_THAT(answer, HasSubstr("Retry-After: 1\r\n"));
    EXPECT_THAT(answer, Not(HasSubstr("Meridian-Unavailable")));
    network_[1].held.WakeAll();
    co_await asking.Join();
  });
}

TEST_F(HandlerTest, WhatAnInstanceMayHaveSeenIsNotCarriedElsewhere) {
  Run([&]() -> io::Task<void> {
    SetInstances({1});
    network_[1].mode = dispatch::PlayedInstance::Mode::kBreak;
    const std::string answer = co_await Ask("POST");
    EXPECT_THAT(answer, HasSubstr("HTTP/1.1 502 "));
    EXPECT_THAT(answer, Not(HasSubstr("Meridian-Unavailable")));
  });
}

TEST_F(HandlerTest, AVisitorAtABalancerThatStandsAlonePassedForAnother) {
  const std::string head = Told(kClaims);
  EXPECT_THAT(head, HasSubstr("X-Forwarded-For: 127.0.0.1\r\n"));
  EXPECT_THAT(head, HasSubstr("X-Forwarded-Host: a\r\n"));
  EXPECT_THAT(head, HasSubstr("X-Forwarded-Proto: http\r\n"));
  EXPECT_THAT(head, HasSubstr("Accept: text/html\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("6.6.6.")));
  EXPECT_THAT(head, Not(HasSubstr("/admin")));
  EXPECT_THAT(head, Not(HasSubstr("Api_Key")));
}

TEST_F(HandlerTest, AnEdgeIsBelievedButNotItsLookAlikes) {
  edge_address_ = IpAddress::V4(127, 0, 0, 1);
  const std::string head = Told(kClaims);
  EXPECT_THAT(head, HasSubstr("X-Forwarded-For: 6.6.6.6\r\n"));
  EXPECT_THAT(head, HasSubstr("X-Forwarded-Host: b\r\n"));
  EXPECT_THAT(head, HasSubstr("Api_Key: 1\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("6.6.6.7")));
  EXPECT_THAT(head, Not(HasSubstr("/admin")));
}

TEST_F(HandlerTest, AProxyThatIsNamedIsBelieved) {
  config_.forwarded_from = {*IpPrefix::Parse("127.0.0.0/8")};
  EXPECT_THAT(Told(kClaims), HasSubstr("X-Forwarded-For: 6.6.6.6\r\n"));
}

TEST_F(HandlerTest, HarmlessNamesWithUnderscoresPassWhereTheyMay) {
  config_.underscores = true;
  const std::string head = Told(kClaims);
  EXPECT_THAT(head, HasSubstr("Api_Key: 1\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("6.6.6.")));
}

}  // namespace
}  // namespace meridian::balancer
