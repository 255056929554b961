#include "site/reach.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/ip.hpp"
#include "site/site.hpp"

namespace meridian::site {
namespace {

Site SiteAt(const std::vector<std::string>& addresses) {
  Site site;
  for (const std::string& address : addresses) {
    site.datacenters.push_back(
        {.name = "dc" + address, .address = IpAddress::Parse(address).value()});
  }
  return site;
}

std::string Reached(const Site& site, Hosting hosting, size_t from = 0, size_t to = 1) {
  return AddressOf(site,
                   {.from = site.datacenters[from], .to = site.datacenters[to], .hosting = hosting})
      .ToString();
}

TEST(Reach, InTheLabDataCentersReachEachOtherAtLinks) {
  Site site = SiteAt({"127.1.0.1", "127.2.0.1"});
  EXPECT_EQ(Reached(site, Hosting::kLab), "127.101.2.1");
  EXPECT_EQ(Reached(site, Hosting::kLab, 1, 0), "127.102.1.1");
  EXPECT_EQ(Reached(site, Hosting::kLab, 0, 0), "127.1.0.1");
  EXPECT_EQ(Reached(site, Hosting::kServers), "127.2.0.1");
}

TEST(Reach, LabsOnOtherBlocksHaveOtherLinks) {
  EXPECT_EQ(Reached(SiteAt({"127.1.7.1", "127.2.7.1"}), Hosting::kLab), "127.101.2.8");
  EXPECT_EQ(Reached(SiteAt({"127.98.0.1", "127.99.0.1"}), Hosting::kLab), "127.198.99.1");
}

TEST(Reach, WithoutWanOrOutsideLoopbackThereAreNoLinks) {
  Site site = SiteAt({"127.1.0.1", "127.2.0.1"});
  site.wan = false;
  EXPECT_EQ(Reached(site, Hosting::kLab), "127.2.0.1");
  EXPECT_EQ(Reached(SiteAt({"127.1.0.1", "192.0.2.1"}), Hosting::kLab), "192.0.2.1");
  EXPECT_FALSE(HasLinks(SiteAt({"127.1.0.1"})));
}

TEST(Reach, AddressesThatDoNotFitTheSchemeAreTold) {
  auto problem = [](const std::string& address) {
    Site site = SiteAt({"127.1.0.1", address});
    return LinkProblem(site, site.datacenters[1]).value_or("");
  };
  EXPECT_EQ(problem("127.2.0.1"), "");
  EXPECT_EQ(problem("127.99.0.1"), "");
  EXPECT_NE(problem("127.100.0.1"), "");
  EXPECT_NE(problem("127.0.0.1"), "");
  EXPECT_NE(problem("127.2.0.2"), "");
  EXPECT_NE(problem("127.2.1.1"), "");
  EXPECT_NE(problem("127.1.0.2"), "");
  Site high = SiteAt({"127.1.250.1", "127.1.251.1"});
  EXPECT_FALSE(LinkProblem(high, high.datacenters[0]));
  EXPECT_TRUE(LinkProblem(high, high.datacenters[1]));
}

TEST(Reach, OpsPortsOfDataCentersOnOneMachineDoNotCollide) {
  auto ops = [](const Site& site, size_t index, Hosting hosting) {
    return OpsEndpoint(site, site.datacenters[index], hosting, 8080).ToString();
  };
  Site loopback = SiteAt({"127.1.0.1", "127.2.0.1"});
  EXPECT_EQ(ops(loopback, 1, Hosting::kLab), "127.2.0.1:18080");
  Site others = SiteAt({"192.0.2.1", "192.0.2.2"});
  EXPECT_EQ(ops(others, 0, Hosting::kLab), "127.0.0.1:18080");
  EXPECT_EQ(ops(others, 1, Hosting::kLab), "127.0.0.2:18080");
  EXPECT_EQ(ops(others, 1, Hosting::kServers), "127.0.0.1:18080");
}

TEST(Reach, WhatOnlyThisHostNeedsIsNotAtAnAddressThatStrangersReach) {
  Site site = SiteAt({"192.0.2.1", "192.0.2.2"});
  DataCenter& here = site.datacenters[0];
  EXPECT_EQ(HostAddress(here, Hosting::kServers).ToString(), "127.0.0.1");
  EXPECT_EQ(PeerAddress(here).ToString(), "192.0.2.1");
  here.private_address = IpAddress::V4(10, 1, 0, 1);
  EXPECT_EQ(HostAddress(here, Hosting::kServers).ToString(), "10.1.0.1");
  EXPECT_EQ(PeerAddress(here).ToString(), "10.1.0.1");
  Crossing crossing{.from = site.datacenters[1], .to = here};
  EXPECT_EQ(AddressOf(site, crossing).ToString(), "10.1.0.1");
  EXPECT_EQ(EdgeAddressOf(site, crossing).ToString(), "192.0.2.1");
}

TEST(Reach, VisitorsArriveAtThePublicAddressesToo) {
  Site site = SiteAt({"10.1.0.1"});
  DataCenter& here = site.datacenters[0];
  here.public_addresses = {IpAddress::V4(192, 0, 2, 1), IpAddress::V4(10, 1, 0, 1)};
  EXPECT_EQ(VisitorAddresses(here, Hosting::kServers),
            (std::vector{IpAddress::V4(10, 1, 0, 1), IpAddress::V4(192, 0, 2, 1)}));
  EXPECT_EQ(VisitorAddresses(here, Hosting::kLab), std::vector{IpAddress::V4(10, 1, 0, 1)});
}

TEST(Reach, InTheLabEverythingIsAtTheDataCentersAddress) {
  Site site = SiteAt({"127.1.0.1", "127.2.0.1"});
  DataCenter& here = site.datacenters[0];
  here.private_address = IpAddress::V4(10, 1, 0, 1);
  EXPECT_EQ(HostAddress(here, Hosting::kLab), here.address);
  EXPECT_EQ(PeerAddress(here), here.address);
}

}  // namespace
}  // namespace meridian::site
