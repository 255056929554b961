#include "agent/status.hpp"

#include <gtest/gtest.h>

namespace meridian::agent {
namespace {

TEST(AgentStatus, AnInstanceSurvivesTheWayThroughJson) {
  DataCenterStatus status{.name = "us-east", .address = "127.1.0.1", .state = "serving"};
  status.instances.push_back({.id = "us-east-1",
                              .address = "127.0.0.1:10001",
                              .release = "2",
                              .state = "healthy",
                              .pid = 17,
                              .problem = "listens on all addresses",
                              .use = "ejected",
                              .in_flight = 3,
                              .requests = 20,
                              .failures = 18});
  Result<DataCenterStatus> back = DecodeStatus(EncodeStatus(status));
  ASSERT_TRUE(back);
  EXPECT_EQ(EncodeStatus(*back), EncodeStatus(status));
  EXPECT_EQ(back->instances[0].use, "ejected");
  EXPECT_EQ(back->instances[0].failures, 18U);
}

TEST(AgentStatus, OfAnInstanceThatTheBalancerUsesThereIsNothingToSay) {
  EXPECT_EQ(DescribeUse({}), "");
  EXPECT_EQ(DescribeUse({.use = "used", .requests = 1000, .failures = 499}), "");
  EXPECT_EQ(DescribeUse({.use = "used", .requests = 9, .failures = 9}), "");
}

TEST(AgentStatus, EachOtherUseIsDescribed) {
  EXPECT_EQ(DescribeUse({.use = "slow start"}), "starts slowly");
  EXPECT_EQ(DescribeUse({.use = "on trial"}),
            "was ejected; the balancer tries it with one request");
  EXPECT_EQ(DescribeUse({.use = "refusing"}), "refuses the balancer's connections");
  EXPECT_EQ(DescribeUse({.use = "failing"}), "fails the balancer's checks of its health path");
}

TEST(AgentStatus, FailuresAreCountedOutWhenTheyAreHalfOfTheRequests) {
  EXPECT_EQ(DescribeUse({.use = "used", .requests = 20, .failures = 10}),
            "10 of 20 requests in the last 10 s got a 5xx or no answer");
  EXPECT_EQ(DescribeUse({.use = "ejected", .requests = 20, .failures = 18}),
            "ejected by the balancer: it failed requests that others answer; 18 of 20 requests in "
            "the last 10 s got a 5xx or no answer");
}

}  // namespace
}  // namespace meridian::agent
