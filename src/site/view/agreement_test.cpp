#include "site/view/agreement.hpp"

#include <optional>
#include <utility>

#include <gtest/gtest.h>

#include "base/ip.hpp"
#include "site/limits.hpp"
#include "site/site.hpp"

namespace meridian::site {
namespace {

Site TwoDataCenters() {
  Site site;
  site.name = "photos";
  site.domain = "photos.example";
  site.datacenters = {{.name = "us-east", .address = IpAddress::V4(10, 1, 0, 1)},
                      {.name = "us-west", .address = IpAddress::V4(10, 2, 0, 1)}};
  return site;
}

std::optional<std::string> Difference(const Site& ours, const Site& theirs) {
  return FirstDifference(AgreementOf(ours), AgreementOf(theirs));
}

TEST(Agreement, TheKeyThatDiffersIsNamed) {
  Site ours = TwoDataCenters();
  EXPECT_EQ(Difference(ours, TwoDataCenters()), std::nullopt);
  Site theirs = TwoDataCenters();
  theirs.ports.edge = 80;
  EXPECT_EQ(Difference(ours, theirs), "[edge] port");
  theirs = TwoDataCenters();
  theirs.datacenters[1].weight = 7;
  EXPECT_EQ(Difference(ours, theirs), "[[datacenter]] us-west");
  theirs = TwoDataCenters();
  std::swap(theirs.datacenters[0], theirs.datacenters[1]);
  EXPECT_EQ(Difference(ours, theirs), "the order of data centers");
  theirs = TwoDataCenters();
  theirs.datacenters.push_back({.name = "eu-west", .address = IpAddress::V4(10, 3, 0, 1)});
  EXPECT_EQ(Difference(ours, theirs), "the order of data centers");
}

TEST(Agreement, WhatEachHostMayHaveAsItLikesDoesNotDiffer) {
  Site theirs = TwoDataCenters();
  theirs.app.release = "2";
  theirs.app.instances = 7;
  theirs.file = "/elsewhere/site.toml";
  EXPECT_EQ(Difference(TwoDataCenters(), theirs), std::nullopt);
}

TEST(Agreement, AnEarlierReleaseThatSaysNothingDoesNotDiffer) {
  EXPECT_EQ(FirstDifference(AgreementOf(TwoDataCenters()), {}), std::nullopt);
}

TEST(Agreement, TheLargestSiteIsWithinTheLimit) {
  Site site;
  for (size_t i = 0; i < kMaxDataCenters; ++i) {
    site.datacenters.push_back({.name = "dc-" + std::to_string(i)});
  }
  EXPECT_LE(AgreementOf(site).size(), kMaxAgreementEntries);
}

}  // namespace
}  // namespace meridian::site
