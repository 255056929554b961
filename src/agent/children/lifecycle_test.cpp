#include "agent/children/lifecycle.hpp"

#include <gtest/gtest.h>

#include "agent/peers/peers.hpp"

namespace meridian::agent {
namespace {

using site::DataCenterState;
using std::chrono::seconds;

const TimePoint kStart{std::chrono::hours{1}};

Lifecycle Serving() {
  Lifecycle life(seconds(15));
  life.OnReadiness(true, true);
  return life;
}

TEST(Lifecycle, ServesOnceTiersAreReadyAndAnInstanceIsHealthy) {
  Lifecycle life(seconds(15));
  life.OnReadiness(true, false);
  EXPECT_EQ(life.state(), DataCenterState::kStarting);
  life.OnReadiness(false, true);
  EXPECT_EQ(life.state(), DataCenterState::kStarting);
  life.OnReadiness(true, true);
  EXPECT_EQ(life.state(), DataCenterState::kServing);
  life.OnReadiness(false, false);
  EXPECT_EQ(life.state(), DataCenterState::kServing);
}

TEST(Lifecycle, WhatDoesNotServeCannotBeDrained) {
  Lifecycle life(seconds(15));
  EXPECT_FALSE(life.Drain(kStart));
  EXPECT_EQ(life.state(), DataCenterState::kStarting);
}

TEST(Lifecycle, IsDrainedWhenNoNewConnectionHasComeForTheQuietTime) {
  Lifecycle life = Serving();
  ASSERT_TRUE(life.Drain(kStart));
  life.OnConnections(5, kStart + seconds(10));
  life.OnConnections(5, kStart + seconds(20));
  life.OnTick(kStart + seconds(24), false);
  EXPECT_EQ(life.state(), DataCenterState::kDraining);
  life.OnTick(kStart + seconds(25), false);
  EXPECT_EQ(life.state(), DataCenterState::kDrained);
}

TEST(Lifecycle, ADrainWaitsForRequestsThatGoOnButNotForEver) {
  for (bool ends : {true, false}) {
    Lifecycle life = Serving();
    ASSERT_TRUE(life.Drain(kStart));
    life.OnTick(kStart + seconds(40), true);
    EXPECT_EQ(life.state(), DataCenterState::kDraining);
    life.OnTick(kStart + (ends ? seconds(41) : seconds(15) + kRequestDrainTimeout), !ends);
    EXPECT_EQ(life.state(), DataCenterState::kDrained);
  }
}

// One client that keeps the address, with a connection now and then, kept it draining for ever.
TEST(Lifecycle, ADrainEndsThoughNewConnectionsGoOn) {
  Lifecycle life = Serving();
  ASSERT_TRUE(life.Drain(kStart));
  uint64_t connections = 0;
  TimePoint now = kStart;
  for (; now < kStart + kMaxDrainTime; now += seconds(2)) {
    life.OnConnections(++connections, now);
    life.OnTick(now, false);
    ASSERT_EQ(life.state(), DataCenterState::kDraining);
  }
  life.OnConnections(++connections, now);
  life.OnTick(now, true);
  EXPECT_EQ(life.state(), DataCenterState::kDraining) << "requests in flight have their own limit";
  life.OnTick(now, false);
  EXPECT_EQ(life.state(), DataCenterState::kDrained);
  EXPECT_TRUE(life.cut_short());
  EXPECT_TRUE(life.Undrain());
  EXPECT_FALSE(life.cut_short());
}

TEST(Lifecycle, ADrainWithRequestsAndNewConnectionsThatGoOnEndsToo) {
  Lifecycle life = Serving();
  ASSERT_TRUE(life.Drain(kStart));
  TimePoint end = kStart + kMaxDrainTime + kRequestDrainTimeout;
  uint64_t connections = 0;
  for (TimePoint now = kStart; now < end; now += seconds(2)) {
    life.OnConnections(++connections, now);
    life.OnTick(now, true);
    ASSERT_EQ(life.state(), DataCenterState::kDraining);
  }
  life.OnTick(end, true);
  EXPECT_EQ(life.state(), DataCenterState::kDrained);
}

TEST(Lifecycle, ADrainLastsForTheQuietTimeAlsoWhereThatIsLongerThanItsLimit) {
  Lifecycle life(2 * kMaxDrainTime);
  life.OnReadiness(true, true);
  ASSERT_TRUE(life.Drain(kStart));
  life.OnTick(kStart + 2 * kMaxDrainTime - seconds(1), false);
  EXPECT_EQ(life.state(), DataCenterState::kDraining);
  life.OnTick(kStart + 2 * kMaxDrainTime, false);
  EXPECT_EQ(life.state(), DataCenterState::kDrained);
  EXPECT_FALSE(life.cut_short());
}

TEST(Lifecycle, ADrainThatIsAskedForTwiceIsOneDrain) {
  Lifecycle life = Serving();
  ASSERT_TRUE(life.Drain(kStart));
  ASSERT_TRUE(life.Drain(kStart + seconds(10)));
  life.OnTick(kStart + seconds(15), false);
  EXPECT_EQ(life.state(), DataCenterState::kDrained);
}

TEST(Lifecycle, UndrainServesAgain) {
  Lifecycle life = Serving();
  ASSERT_TRUE(life.Drain(kStart));
  EXPECT_TRUE(life.Undrain());
  EXPECT_EQ(life.state(), DataCenterState::kServing);
  EXPECT_TRUE(life.Undrain());
  EXPECT_FALSE(Lifecycle(seconds(15)).Undrain());
}

class PeersTest : public testing::Test {
 protected:
  PeersTest() {
    for (const char* name : {"a", "b", "c"}) {
      site::DataCenter dc;
      dc.name = name;
      site_.datacenters.push_back(dc);
    }
  }

  site::SiteView Said(const std::string& name, DataCenterState state) {
    site::SiteView view;
    for (const site::DataCenter& dc : site_.datacenters) {
      view.datacenters.push_back({.name = dc.name, .state = DataCenterState::kDown});
      if (dc.name == name) view.datacenters.back().state = state;
      view.instances.push_back({.id = dc.name + "-1", .datacenter = dc.name});
    }
    return view;
  }

  DataCenterState StateOf(const Peers& peers, const std::string& name) {
    site::DataCenterView entry{.name = name};
    peers.Describe(entry);
    return entry.state;
  }

  site::Site site_;
};

TEST_F(PeersTest, OnlyADataCentersOwnAgentIsBelievedAboutIt) {
  Peers peers(site_, "a");
  peers.OnAnswer("b", Said("b", DataCenterState::kServing));
  EXPECT_EQ(StateOf(peers, "b"), DataCenterState::kServing);
  EXPECT_EQ(StateOf(peers, "c"), DataCenterState::kStarting);
  std::vector<site::InstanceView> instances;
  peers.AppendInstances(instances);
  ASSERT_EQ(instances.size(), 1u);
  EXPECT_EQ(instances[0].id, "b-1");
}

TEST_F(PeersTest, TwoMissesInARowAreDownAndAnAnswerBringsItBack) {
  Peers peers(site_, "a");
  peers.OnAnswer("b", Said("b", DataCenterState::kServing));
  peers.OnMiss("b");
  EXPECT_EQ(StateOf(peers, "b"), DataCenterState::kServing);
  EXPECT_TRUE(peers.reachable("b"));
  EXPECT_FALSE(peers.all_known());  // c has never answered
  peers.OnMiss("c");
  peers.OnMiss("c");
  EXPECT_TRUE(peers.all_known());
  peers.OnMiss("b");
  EXPECT_EQ(StateOf(peers, "b"), DataCenterState::kDown);
  EXPECT_FALSE(peers.reachable("b"));
  std::vector<site::InstanceView> instances;
  peers.AppendInstances(instances);
  EXPECT_TRUE(instances.empty());
  peers.OnAnswer("b", Said("b", DataCenterState::kDraining));
  EXPECT_EQ(StateOf(peers, "b"), DataCenterState::kDraining);
}

TEST_F(PeersTest, ADataCenterIsLostAfterTwoMissesButAtTheStartOnlyAfterThirty) {
  Peers peers(site_, "a");
  peers.OnAnswer("b", Said("b", DataCenterState::kServing));
  for (uint32_t miss = 1; miss <= Peers::kMissesToLost; ++miss) {
    EXPECT_EQ(peers.lost("b"), miss > Peers::kMissesToDown);
    EXPECT_FALSE(peers.lost("c")) << miss;
    peers.OnMiss("b");
    peers.OnMiss("c");
  }
  EXPECT_TRUE(peers.lost("c"));
  peers.OnAnswer("b", Said("b", DataCenterState::kServing));
  EXPECT_FALSE(peers.lost("b"));
  EXPECT_FALSE(peers.lost("a"));
}

}  // namespace
}  // namespace meridian::agent
