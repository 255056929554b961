#include "agent/report/status.hpp"

#include <gtest/gtest.h>

namespace meridian::agent {
namespace {

using Kind = site::InstanceUse;

TierInstanceUse Use(std::string tier, Kind kind, uint32_t requests, uint32_t failures) {
  return {.tier = std::move(tier),
          .report = {.use = kind, .in_flight = 3, .requests = requests, .failures = failures}};
}

TEST(AgentStatus, AnInstanceSurvivesTheWayThroughJson) {
  DataCenterStatus status{.name = "us-east",
                          .address = "127.1.0.1",
                          .state = "serving",
                          .version = "0.1.0",
                          .wall_seconds = 1795989730.25};
  status.instances.push_back(
      {.id = "us-east-1",
       .address = "127.0.0.1:10001",
       .release = "2",
       .state = "healthy",
       .pid = 17,
       .problem = "listens on all addresses",
       .uses = {Use("edge", Kind::kUsed, 100, 1), Use("balancer", Kind::kEjected, 20, 18)}});
  Result<DataCenterStatus> back = DecodeStatus(EncodeStatus(status));
  ASSERT_TRUE(back);
  EXPECT_EQ(EncodeStatus(*back), EncodeStatus(status));
  EXPECT_EQ(back->version, "0.1.0");
  EXPECT_EQ(back->wall_seconds, 1795989730.25);
  EXPECT_EQ(back->instances[0].uses[1].tier, "balancer");
  EXPECT_EQ(back->instances[0].uses[1].report, status.instances[0].uses[1].report);
  EXPECT_EQ(WorstUse(back->instances[0]), "ejected");
}

TEST(AgentStatus, AWorkerSurvivesTheWayThroughJson) {
  DataCenterStatus status{.name = "us-east", .address = "127.1.0.1", .state = "serving"};
  status.workers = {{.id = "us-east.thumbnail-1",
                     .worker = "thumbnail",
                     .topic = "uploads",
                     .state = "failing",
                     .pid = 17,
                     .restarts = 4,
                     .problem = "ended 3 times in a row"},
                    {.id = "us-east.cron-1", .worker = "cron", .state = "running", .pid = 18}};
  Result<DataCenterStatus> back = DecodeStatus(EncodeStatus(status));
  ASSERT_TRUE(back);
  EXPECT_EQ(EncodeStatus(*back), EncodeStatus(status));
  EXPECT_EQ(back->workers[0].restarts, 4u);
  EXPECT_EQ(back->workers[0].problem, "ended 3 times in a row");
  EXPECT_EQ(back->workers[1].topic, "");
}

TEST(AgentStatus, AnEngineSurvivesTheWayThroughJson) {
  DataCenterStatus status{.name = "us-east", .address = "127.1.0.1", .state = "serving"};
  status.engines = {{.name = "prometheus", .state = "ready", .pid = 17, .port = 9601},
                    {.name = "alertmanager",
                     .state = "down",
                     .port = 9602,
                     .problem = "alertmanager is not installed"}};
  Result<DataCenterStatus> back = DecodeStatus(EncodeStatus(status));
  ASSERT_TRUE(back);
  EXPECT_EQ(EncodeStatus(*back), EncodeStatus(status));
  ASSERT_EQ(back->engines.size(), 2u);
  EXPECT_EQ(back->engines[0].pid, 17);
  EXPECT_EQ(back->engines[1].problem, "alertmanager is not installed");
}

TEST(AgentStatus, OfAnInstanceThatIsUsedThereIsNothingToSay) {
  EXPECT_EQ(DescribeUses({}), "");
  EXPECT_EQ(WorstUse({}), "");
  EXPECT_EQ(DescribeUses({.uses = {Use("edge", Kind::kUsed, 1000, 499)}}), "");
  EXPECT_EQ(DescribeUses({.uses = {Use("edge", Kind::kUsed, 9, 9)}}), "");
}

TEST(AgentStatus, EachOtherUseIsDescribedWithTheTier) {
  auto describe = [](Kind kind) { return DescribeUses({.uses = {Use("edge", kind, 0, 0)}}); };
  EXPECT_EQ(describe(Kind::kSlowStart), "edge: starts slowly");
  EXPECT_EQ(describe(Kind::kOnTrial), "edge: was ejected and is tried with one request");
  EXPECT_EQ(describe(Kind::kEjected), "edge: is ejected: it failed requests that others answer");
  EXPECT_EQ(describe(Kind::kRefusing), "edge: refuses connections");
  EXPECT_EQ(describe(Kind::kFailing), "edge: fails the checks of its health path");
}

TEST(AgentStatus, FailuresAreCountedOutWhenTheyAreHalfOfTheRequests) {
  EXPECT_EQ(DescribeUses({.uses = {Use("edge", Kind::kUsed, 20, 10),
                                   Use("balancer", Kind::kRefusing, 10, 10)}}),
            "edge: 10 of 20 requests in the last 10 s got a 5xx or no answer; balancer: refuses "
            "connections, 10 of 10 requests in the last 10 s got a 5xx or no answer");
}

}  // namespace
}  // namespace meridian::agent
