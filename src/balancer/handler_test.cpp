// The X-Forwarded-* fields that instances get from trusted and from other senders; and the response
// if there is no instance.
#include "balancer/handler.hpp"

#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dispatch/dispatcher_fixture.hpp"

namespace meridian::balancer {
namespace {

using testing::ContainsRegex;
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
      std::string answer = co_await Fetch("GET", "/", fields);
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
    });
    return network_[1].head;
  }

  IpAddress edge_address_;
  std::unique_ptr<Handler> handler_;
};

TEST_F(HandlerTest, WhenNoInstanceCouldBeGivenItAnotherDataCenterMayBeAsked) {
  Run([&]() -> io::Task<void> {
    const std::string answer = co_await Fetch("POST");
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
    const std::string answer = co_await Fetch("GET");
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
    const std::string answer = co_await Fetch("POST");
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

TEST_F(HandlerTest, AProxyThatIsNamedBroughtEveryNameWithAnUnderscore) {
  config_.forwarded_from = {*IpPrefix::Parse("127.0.0.0/8")};
  const std::string head = Told(kClaims);
  EXPECT_THAT(head, Not(HasSubstr("Api_Key")));
  EXPECT_THAT(head, Not(HasSubstr("6.6.6.7")));
}

TEST_F(HandlerTest, AProxyThatIsNamedMayBringThemWhereTheSettingsSaySo) {
  config_.forwarded_from = {*IpPrefix::Parse("127.0.0.0/8")};
  config_.underscores = true;
  EXPECT_THAT(Told(kClaims), HasSubstr("Api_Key: 1\r\n"));
}

TEST_F(HandlerTest, AnyClientWasToldTheAddressOfAServer) {
  config_.forwarded_from = {*IpPrefix::Parse("127.0.0.0/8")};
  Run([&]() -> io::Task<void> {
    SetInstances({1});
    const std::string answer = co_await Fetch("GET", "/", "Meridian-Debug: 1\r\n");
    EXPECT_THAT(answer, HasSubstr("HTTP/1.1 200"));
    EXPECT_THAT(answer, Not(HasSubstr("Meridian-Path")));
  });
  EXPECT_THAT(network_[1].head, Not(HasSubstr("Meridian-Debug")));
}

TEST_F(HandlerTest, AnEdgeIsToldWhichInstanceAnswered) {
  edge_address_ = IpAddress::V4(127, 0, 0, 1);
  Run([&]() -> io::Task<void> {
    SetInstances({1});
    const std::string answer = co_await Fetch("GET", "/", "Meridian-Debug: 1\r\n");
    EXPECT_THAT(answer, HasSubstr("Meridian-Path: datacenter=here instance=i1\r\n"));
  });
}

TEST_F(HandlerTest, AProxyThatIsNamedIsBelieved) {
  config_.forwarded_from = {*IpPrefix::Parse("127.0.0.0/8")};
  EXPECT_THAT(Told(kClaims), HasSubstr("X-Forwarded-For: 6.6.6.6\r\n"));
}

constexpr const char* kIds =
    "X-Request-Id: r1\r\ntracestate: a=1\r\n"
    "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00\r\n";

class RequestIdsTest : public HandlerTest, public testing::WithParamInterface<bool> {
 protected:
  static void ExpectOnce(const std::string& head, const char* text) {
    const size_t at = head.find(text);
    ASSERT_NE(at, head.npos) << head;
    EXPECT_EQ(head.find(text, at + 1), head.npos) << head;
  }
};

TEST_F(HandlerTest, RequestIdsAreMade) {
  EXPECT_THAT(Told(""), ContainsRegex("X-Request-Id: [0-9a-f]+\r\ntraceparent: 00-"));
}

TEST_F(HandlerTest, InvalidRequestIdsAreReplaced) {
  const std::string head = Told("X-Request-Id: a b\r\ntraceparent: x\r\ntracestate: a=1\r\n");
  EXPECT_THAT(head, ContainsRegex("X-Request-Id: [0-9a-f]+\r\ntraceparent: 00-"));
  EXPECT_THAT(head, Not(HasSubstr("tracestate")));
}

TEST_P(RequestIdsTest, OfEdgesProxiesAndVisitorsAreCarriedOnce) {
  if (GetParam()) config_.forwarded_from = {*IpPrefix::Parse("127.0.0.0/8")};
  const std::string head = Told(kIds);
  for (const char* text : {"X-Request-Id: r1\r\n", "tracestate: a=1\r\n", "3331-00\r\n"}) {
    ExpectOnce(head, text);
  }
}

TEST_F(HandlerTest, RequestIdsOfAnEdgeAreCarried) {
  edge_address_ = IpAddress::V4(127, 0, 0, 1);
  const std::string head = Told(kIds);
  for (const char* text : {"X-Request-Id: r1\r\n", "tracestate: a=1\r\n", "3331-00\r\n"}) {
    EXPECT_THAT(head, HasSubstr(text));
  }
}

INSTANTIATE_TEST_SUITE_P(ProxyOrVisitor, RequestIdsTest, testing::Bool());

TEST_F(HandlerTest, AnEdgeLearnsWhichInstanceHasAnswered) {
  edge_address_ = IpAddress::V4(127, 0, 0, 1);
  Run([&]() -> io::Task<void> {
    SetInstances({1});
    EXPECT_THAT(co_await Fetch("GET"), HasSubstr("Meridian-Instance: i1\r\n"));
  });
}

TEST_F(HandlerTest, NobodyElseLearnsIt) {
  config_.forwarded_from = {*IpPrefix::Parse("127.0.0.0/8")};
  Run([&]() -> io::Task<void> {
    SetInstances({1});
    EXPECT_THAT(co_await Fetch("GET"), Not(HasSubstr("Meridian-Instance")));
  });
}

TEST_F(HandlerTest, RequestsAreTimedByTheClassOfTheirStatus) {
  Run([&]() -> io::Task<void> {
    SetInstances({1});
    (void)co_await Fetch("GET");
    network_[1].status = 404;
    (void)co_await Fetch("GET");
    EXPECT_EQ(Metric("meridian_balancer_request_duration_seconds_count{code=\"2xx\"}"), 1);
    EXPECT_EQ(Metric("meridian_balancer_request_duration_seconds_count{code=\"4xx\"}"), 1);
    EXPECT_EQ(Metric("meridian_balancer_request_duration_seconds_count{code=\"5xx\"}"), 0);
  });
}

TEST_F(HandlerTest, HarmlessNamesWithUnderscoresPassWhereTheyMay) {
  config_.underscores = true;
  const std::string head = Told(kClaims);
  EXPECT_THAT(head, HasSubstr("Api_Key: 1\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("6.6.6.")));
}

}  // namespace
}  // namespace meridian::balancer
