#include "agent/children/tier_table.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/limits.hpp"
#include "site/site.hpp"
#include "site/tier_description.hpp"

namespace meridian::agent {
namespace {

using std::chrono::minutes;
using testing::ElementsAre;

site::Site OneDataCenter() {
  site::Site site;
  site.datacenters.push_back({.name = "us-east", .address = IpAddress::V4(192, 0, 2, 1)});
  site.datacenters[0].public_addresses = {IpAddress::V4(192, 0, 2, 1), IpAddress::V4(192, 0, 2, 2)};
  site.datacenters[0].private_address = IpAddress::V4(10, 0, 0, 1);
  site.tiers = {{.name = "session",
                 .ports = {{.port = &site::Ports::session}},
                 .sockets = {{.name = "redis", .port = &site::Ports::session},
                             {.name = "peer",
                              .port = &site::Ports::session,
                              .audience = site::Audience::kPeers}}},
                {.name = "dns",
                 .ports = {{.port = &site::Ports::dns}},
                 .sockets = {{.name = "udp",
                              .port = &site::Ports::dns,
                              .audience = site::Audience::kVisitors,
                              .kind = site::SocketKind::kDatagram}},
                 .in_edge_places = true}};
  return site;
}

std::vector<std::string> SocketsOf(const TierEntry& tier) {
  std::vector<std::string> texts;
  for (const TierSocket& socket : tier.sockets) {
    texts.push_back(socket.name + " " + socket.at.ToString() +
                    (socket.optional ? " optional" : ""));
  }
  return texts;
}

TEST(TierTable, AnAudienceDecidesAtWhichAddressesASocketListens) {
  site::Site site = OneDataCenter();
  auto table = TierTable(site, site.datacenters.front(), site::Hosting::kServers);
  ASSERT_EQ(table.size(), 2U);
  EXPECT_THAT(SocketsOf(table[0]),
              ElementsAre("ops 127.0.0.1:16379", "redis 10.0.0.1:6379", "peer 10.0.0.1:26379"));
  EXPECT_THAT(SocketsOf(table[1]), ElementsAre("ops 127.0.0.1:15300", "udp 192.0.2.1:5300",
                                               "udp-2 192.0.2.2:5300 optional"));
  EXPECT_EQ(table[1].sockets[1].kind, site::SocketKind::kDatagram);
}

TEST(TierTable, ATierWithThreadsHasADatagramSocketForEachOfThem) {
  site::Site site = OneDataCenter();
  site.tiers[1].has_threads = true;
  site.threads["dns"] = 2;
  auto table = TierTable(site, site.datacenters.front(), site::Hosting::kServers);
  EXPECT_THAT(SocketsOf(table[1]),
              ElementsAre("ops 127.0.0.1:15300", "udp 192.0.2.1:5300", "udp/2 192.0.2.1:5300",
                          "udp-2 192.0.2.2:5300 optional", "udp-2/2 192.0.2.2:5300 optional"));
  EXPECT_TRUE(table[1].sockets[1].reuse_port);
  site.threads.clear();
  table = TierTable(site, site.datacenters.front(), site::Hosting::kServers, 3);
  EXPECT_EQ(table[1].sockets.size(), 1 + 2 * 3U);
}

TEST(TierTable, AnEdgePlaceRunsTheTiersThatBelongThere) {
  site::Site site = OneDataCenter();
  site.datacenters[0].edge_only = true;
  auto table = TierTable(site, site.datacenters.front(), site::Hosting::kServers);
  ASSERT_EQ(table.size(), 1U);
  EXPECT_EQ(table[0].name, "dns");
}

TEST(TierTable, MaxStopTimeLeavesTiersAndApplicationTheirTimes) {
  site::Site site = OneDataCenter();
  site.app.stop_timeout = minutes(9);
  size_t tiers = TierTable(site, site.datacenters.front(), site::Hosting::kLab).size();
  EXPECT_GT(MaxStopTime(site), minutes(9) + tiers * kTierStopTimeout);
}

TEST(TierTable, ExternalTierHasNoSockets) {
  site::Site site = OneDataCenter();
  auto has_session = [&] {
    auto table = TierTable(site, site.datacenters.front(), site::Hosting::kLab);
    return std::ranges::find(table, "session", &TierEntry::name) != table.end();
  };
  EXPECT_TRUE(has_session());
  site.externals["session"] = {.url = site::Secret("redis://r:6379"), .shown = "redis://r:6379"};
  EXPECT_FALSE(has_session());
}

TEST(TierTable, PeerPortsCrossFromOneDataCenterToAnother) {
  site::Site site = OneDataCenter();
  EXPECT_THAT(CrossingPorts(site), testing::UnorderedElementsAre(9000, 8080, 26379));
}

}  // namespace
}  // namespace meridian::agent
