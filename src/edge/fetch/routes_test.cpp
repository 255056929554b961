#include "edge/fetch/routes.hpp"

#include <gtest/gtest.h>

namespace meridian::edge {
namespace {

using site::DataCenterState;
using site::InstanceState;
using Names = std::vector<std::string>;

class RoutesTest : public testing::Test {
 protected:
  RoutesTest() {
    Add("ashburn", {39.04, -77.49});
    Add("san-jose", {37.34, -121.89});
    Add("london", {51.51, -0.13});
  }

  void Add(const std::string& name, Location location) {
    view_.datacenters.push_back(
        {.name = name, .location = location, .state = DataCenterState::kServing});
    view_.instances.push_back(
        {.id = name + "-1", .datacenter = name, .state = InstanceState::kHealthy});
  }

  site::SiteView view_;
};

TEST_F(RoutesTest, OwnDataCenterComesFirstThenTheOthersByDistance) {
  EXPECT_EQ(MakeRoutes(view_, "ashburn").from_visitors, (Names{"ashburn", "san-jose", "london"}));
  EXPECT_EQ(MakeRoutes(view_, "london").from_visitors, (Names{"london", "ashburn", "san-jose"}));
}

TEST_F(RoutesTest, WithoutAHealthyInstanceTheNearestOtherServes) {
  view_.instances[0].state = InstanceState::kUnhealthy;
  EXPECT_EQ(MakeRoutes(view_, "ashburn").from_visitors, (Names{"san-jose", "london"}));
  view_.instances[1].state = InstanceState::kStopped;
  EXPECT_EQ(MakeRoutes(view_, "ashburn").from_visitors, (Names{"london"}));
}

TEST_F(RoutesTest, ABalancerThatDoesNotAnswerIsPassedBy) {
  Routes routes = MakeRoutes(view_, "ashburn", false);
  EXPECT_EQ(routes.from_visitors, (Names{"san-jose", "london"}));
  EXPECT_EQ(routes.from_edges, Names{});
}

TEST_F(RoutesTest, DataCentersThatStartOrAreDownAreNotForwardedTo) {
  view_.datacenters[1].state = DataCenterState::kStarting;
  view_.datacenters[2].state = DataCenterState::kDown;
  EXPECT_EQ(MakeRoutes(view_, "ashburn").from_visitors, (Names{"ashburn"}));
}

TEST_F(RoutesTest, ADrainingDataCenterIsTheLastInItsOwnRoute) {
  view_.datacenters[0].state = DataCenterState::kDraining;
  EXPECT_EQ(MakeRoutes(view_, "ashburn").from_visitors, (Names{"san-jose", "london", "ashburn"}));
}

// Its healthy instances were not used when no other data center could serve.
TEST_F(RoutesTest, ADrainedDataCenterServesWhenNoOtherCan) {
  view_.datacenters[1].state = DataCenterState::kDrained;
  view_.datacenters[2].state = DataCenterState::kDraining;
  EXPECT_EQ(MakeRoutes(view_, "ashburn").from_visitors, (Names{"ashburn", "san-jose", "london"}));
  view_.instances[0].state = InstanceState::kUnhealthy;
  EXPECT_EQ(MakeRoutes(view_, "ashburn").from_visitors, (Names{"san-jose", "london"}));
}

// Its own session tier hung, and each request waited for that.
TEST_F(RoutesTest, ADataCenterWithAFailureComesAfterTheAvailableOnes) {
  view_.datacenters[0].available = false;
  EXPECT_EQ(MakeRoutes(view_, "ashburn").from_visitors, (Names{"san-jose", "london", "ashburn"}));
  view_.datacenters[1].available = false;
  EXPECT_EQ(MakeRoutes(view_, "ashburn").from_visitors, (Names{"london", "ashburn", "san-jose"}));
}

TEST_F(RoutesTest, ABalancerThatDoesNotAnswerOtherEdgesIsNoMatterOfItsOwn) {
  view_.datacenters[0].takes_forwarded = false;
  EXPECT_EQ(MakeRoutes(view_, "ashburn").from_visitors, (Names{"ashburn", "san-jose", "london"}));
  EXPECT_EQ(MakeRoutes(view_, "san-jose").from_visitors, (Names{"san-jose", "london", "ashburn"}));
}

TEST_F(RoutesTest, AnEdgeThatStartsSendsToItsOwnBalancer) {
  view_.datacenters[0].state = DataCenterState::kStarting;
  EXPECT_EQ(MakeRoutes(view_, "ashburn").from_visitors, (Names{"ashburn", "san-jose", "london"}));
}

TEST_F(RoutesTest, ARequestThatCameFromAnEdgeIsNotForwardedAgain) {
  EXPECT_EQ(MakeRoutes(view_, "ashburn").from_edges, (Names{"ashburn"}));
  view_.instances[0].state = InstanceState::kUnhealthy;
  EXPECT_EQ(MakeRoutes(view_, "ashburn").from_edges, Names{});
}

TEST_F(RoutesTest, WithoutAHealthyInstanceTheRouteIsEmpty) {
  for (auto& instance : view_.instances) instance.state = InstanceState::kStarting;
  EXPECT_EQ(MakeRoutes(view_, "ashburn").from_visitors, Names{});
}

TEST(CountEdges, CountsOnlyEntriesThatNameAnEdge) {
  EXPECT_EQ(CountEdges(""), 0);
  EXPECT_EQ(CountEdges("1.1 meridian-edge"), 1);
  EXPECT_EQ(CountEdges("1.0 fred, 1.1 meridian-edge (x), HTTP/2  meridian-edge"), 2);
  EXPECT_EQ(CountEdges("1.1 meridian-edges, 1.1 p.example (meridian-edge), meridian-edge"), 0);
}

}  // namespace
}  // namespace meridian::edge
