#include "agent/agent_metrics.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/metrics_text.hpp"
#include "site/site.hpp"
#include "site/view/view.hpp"

namespace meridian::agent {
namespace {

using enum site::DataCenterState;
using testing::HasSubstr;
using testing::Not;

site::Site TwoDataCenters() {
  site::Site site;
  site.datacenters = {{.name = "us-east"}, {.name = "us-west"}};
  return site;
}

class AgentMetricsTest : public testing::Test {
 protected:
  std::string Shown() const { return MetricsText(metrics_); }

  site::Site site_ = TwoDataCenters();
  Metrics metrics_;
  AgentMetrics shown_{metrics_, site_, "us-east"};
};

TEST_F(AgentMetricsTest, EveryOtherDataCenterIsThereFromTheStartAndIsNotLost) {
  EXPECT_THAT(Shown(), HasSubstr("meridian_agent_peer_lost{datacenter=\"us-west\"} 0\n"));
  EXPECT_THAT(Shown(), Not(HasSubstr("meridian_agent_peer_lost{datacenter=\"us-east\"}")));
  EXPECT_THAT(Shown(), HasSubstr("meridian_agent_datacenter_drained{datacenter=\"us-east\"} 0\n"));
}

TEST_F(AgentMetricsTest, ATierIsShownWithItsRestarts) {
  const ShownTier first[] = {{.name = "edge"}};
  shown_.ShowTiers(first);
  EXPECT_THAT(Shown(), HasSubstr("meridian_agent_tier_ready{tier_name=\"edge\"} 0\n"));
  EXPECT_THAT(Shown(), HasSubstr("meridian_agent_tier_restarts_total{tier_name=\"edge\"} 0\n"));
  const ShownTier later[] = {{.name = "edge", .ready = true, .restarts = 2},
                             {.name = "dns", .hung = true}};
  shown_.ShowTiers(later);
  EXPECT_THAT(Shown(), HasSubstr("meridian_agent_tier_ready{tier_name=\"edge\"} 1\n"));
  EXPECT_THAT(Shown(), HasSubstr("meridian_agent_tier_restarts_total{tier_name=\"edge\"} 2\n"));
  EXPECT_THAT(Shown(), HasSubstr("meridian_agent_tier_hung{tier_name=\"dns\"} 1\n"));
  EXPECT_THAT(Shown(), HasSubstr("meridian_agent_tiers_ready 1\n"));
}

TEST_F(AgentMetricsTest, InstancesAreCountedAndTheirRestarts) {
  const ShownInstance instances[] = {{.id = "us-east-1", .healthy = true, .restarts = 3},
                                     {.id = "us-east-2"}};
  shown_.ShowInstances(instances);
  EXPECT_THAT(Shown(), HasSubstr("meridian_agent_instances 2\n"));
  EXPECT_THAT(Shown(), HasSubstr("meridian_agent_instances_healthy 1\n"));
  EXPECT_THAT(Shown(),
              HasSubstr("meridian_agent_instance_restarts_total{instance_id=\"us-east-1\"} 3\n"));
  EXPECT_THAT(Shown(),
              HasSubstr("meridian_agent_instance_restarts_total{instance_id=\"us-east-2\"} 0\n"));
}

TEST_F(AgentMetricsTest, ADataCenterThatIsSwitchedOffAfterItsDrainCountsAsDrained) {
  const std::string drained = "meridian_agent_datacenter_drained{datacenter=\"us-west\"} ";
  shown_.ShowDataCenter("us-west", kServing, false);
  EXPECT_THAT(Shown(), HasSubstr(drained + "0\n"));
  for (site::DataCenterState state : {kDraining, kDrained, kDown}) {
    shown_.ShowDataCenter("us-west", state, state == kDown);
    EXPECT_THAT(Shown(), HasSubstr(drained + "1\n"));
  }
  EXPECT_THAT(Shown(), HasSubstr("meridian_agent_peer_lost{datacenter=\"us-west\"} 1\n"));
  shown_.ShowDataCenter("us-west", kStarting, false);
  EXPECT_THAT(Shown(), HasSubstr(drained + "0\n"));
  EXPECT_THAT(Shown(), HasSubstr("meridian_agent_peer_lost{datacenter=\"us-west\"} 0\n"));
}

TEST_F(AgentMetricsTest, ADataCenterThatGoesDownWithoutADrainIsNotDrained) {
  shown_.ShowDataCenter("us-west", kServing, false);
  shown_.ShowDataCenter("us-west", kDown, true);
  EXPECT_THAT(Shown(), HasSubstr("meridian_agent_datacenter_drained{datacenter=\"us-west\"} 0\n"));
}

}  // namespace
}  // namespace meridian::agent
