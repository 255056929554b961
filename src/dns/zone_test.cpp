#include "dns/zone.hpp"

#include <gtest/gtest.h>

namespace meridian::dns {
namespace {

using wire::dns::Name;

ZoneOptions Photos() {
  return {
      .domain = "photos.example",
      .data_centers = {{"us-east", {IpAddress::V4(192, 0, 2, 1), *IpAddress::Parse("2001:db8::1")}},
                       {"us-west", {IpAddress::V4(192, 0, 2, 2)}}}};
}

const ZoneNode* Find(const Zone& zone, std::string_view name) {
  return zone.Find(*Name::Parse(name));
}

TEST(Zone, HasTheSiteAndItsDataCenters) {
  Zone zone = *Zone::Build(Photos());
  ASSERT_NE(Find(zone, "PHOTOS.example"), nullptr);
  EXPECT_EQ(Find(zone, "photos.example")->kind, ZoneNode::Kind::kSite);
  ASSERT_NE(Find(zone, "us-west.photos.example"), nullptr);
  EXPECT_EQ(Find(zone, "us-west.photos.example")->kind, ZoneNode::Kind::kHost);
  EXPECT_EQ(Find(zone, "us-west.photos.example")->host, 1);
  EXPECT_EQ(Find(zone, "eu.photos.example"), nullptr);
  EXPECT_EQ(Find(zone, "example"), nullptr);
}

TEST(Zone, HasThePortsNameOnlyWhereThePortIsNot443) {
  ZoneOptions options = Photos();
  EXPECT_EQ(Find(*Zone::Build(options), "_443._https.photos.example"), nullptr);
  options.https_port = 8443;
  Zone zone = *Zone::Build(options);
  ASSERT_NE(Find(zone, "_8443._https.photos.example"), nullptr);
  EXPECT_EQ(Find(zone, "_8443._https.photos.example")->kind, ZoneNode::Kind::kHttpsPort);
  EXPECT_EQ(Find(zone, "_https.photos.example")->kind, ZoneNode::Kind::kEmpty);
}

TEST(Zone, HasANameForStaticFiles) {
  ZoneOptions options = Photos();
  options.https_port = 8443;
  Zone zone = *Zone::Build(options);
  ASSERT_NE(Find(zone, "cdn.photos.example"), nullptr);
  EXPECT_EQ(Find(zone, "cdn.photos.example")->kind, ZoneNode::Kind::kCdn);
  EXPECT_EQ(Find(zone, "_8443._https.cdn.photos.example")->kind, ZoneNode::Kind::kHttpsPort);
}

TEST(Zone, KnowsTheFamiliesAndHintsOfEachHost) {
  Zone zone = *Zone::Build(Photos());
  EXPECT_TRUE(zone.hosts()[0].HasFamily(true));
  EXPECT_TRUE(zone.hosts()[0].HasFamily(false));
  EXPECT_FALSE(zone.hosts()[1].HasFamily(false));
  EXPECT_EQ(zone.hosts()[0].as_target.ipv4_hints.size(), 1U);
  EXPECT_EQ(zone.hosts()[0].as_target.ipv6_hints.size(), 1U);
  EXPECT_EQ(zone.hosts()[0].as_target.target, zone.hosts()[0].name);
  EXPECT_TRUE(zone.hosts()[0].as_owner.target.is_root());
}

TEST(Zone, SoaIsTheSameOnEveryServer) {
  ZoneOptions options = Photos();
  options.serial = 7;
  Zone zone = *Zone::Build(options);
  EXPECT_EQ(zone.soa().primary.ToString(), "us-east.photos.example.");
  EXPECT_EQ(zone.soa().mailbox.ToString(), "hostmaster.photos.example.");
  EXPECT_EQ(zone.soa().serial, 7U);
  EXPECT_EQ(zone.negative_ttl_seconds(), 30U);
}

TEST(Zone, NamesThatAreNoneAreRefused) {
  ZoneOptions no_domain = Photos();
  no_domain.domain = "photos..example";
  EXPECT_EQ(Zone::Build(no_domain).error().code, Errc::kInvalid);
  ZoneOptions long_label = Photos();
  long_label.data_centers[1].name = std::string(64, 'a');
  EXPECT_EQ(Zone::Build(long_label).error().code, Errc::kTooLarge);
}

}  // namespace
}  // namespace meridian::dns
