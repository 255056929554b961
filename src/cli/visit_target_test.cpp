#include "cli/visit_target.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/visit_examples.hpp"

namespace meridian::cli {
namespace {

using testing::HasSubstr;
using wire::dns::Name;

VisitTarget Target(std::string_view url) { return ParseTarget(url, PhotosSite()).value(); }

std::string Refusal(std::string_view url) {
  Result<VisitTarget> target = ParseTarget(url, PhotosSite());
  EXPECT_FALSE(target) << url;
  return target ? "" : target.error().message;
}

std::vector<dns::Place> Places() {
  return {{"new-york", IpPrefix::Parse("198.51.100.0/24").value(), {}},
          {"oregon", IpPrefix::Parse("2001:db8::/40").value(), {}}};
}

VisitOrigin Origin(std::string_view from) { return ParseOrigin(from, Places()).value(); }

// 0.0.0.0/0 when there is none.
wire::dns::ClientSubnet Subnet(std::string_view from) {
  return Origin(from).subnet.value_or(wire::dns::ClientSubnet{});
}

TEST(VisitTarget, AUrlWithoutPortMeansTheEdgesOwnPorts) {
  VisitTarget plain = Target("http://photos.example/");
  EXPECT_FALSE(plain.https);
  EXPECT_EQ(plain.port, 8080);
  EXPECT_EQ(plain.authority, "photos.example");
  VisitTarget secure = Target("https://photos.example");
  EXPECT_TRUE(secure.https);
  EXPECT_EQ(secure.port, 8443);
  EXPECT_EQ(secure.path, "/");
  EXPECT_EQ(secure.service_name, *Name::Parse("photos.example"));
}

TEST(VisitTarget, APortThatIsGivenIsTakenAndNamesTheHttpsRecords) {
  EXPECT_EQ(Target("http://photos.example:8081/").port, 8081);
  EXPECT_EQ(Target("http://photos.example:8081/").authority, "photos.example:8081");
  EXPECT_EQ(Target("http://photos.example:8081/").service_name, *Name::Parse("photos.example"));
  EXPECT_EQ(Target("https://photos.example:8443/").service_name,
            *Name::Parse("_8443._https.photos.example"));
}

TEST(VisitTarget, PathAndQueryAreTakenApart) {
  VisitTarget target = Target("http://photos.example/a/b?c=d?e");
  EXPECT_EQ(target.path, "/a/b");
  EXPECT_EQ(target.query, "c=d?e");
  EXPECT_EQ(Target("http://photos.example/a").query, std::nullopt);
  EXPECT_EQ(Target("http://photos.example/a?").query, "");
}

TEST(VisitTarget, NamesBelowTheDomainAreOfTheSite) {
  EXPECT_EQ(Target("http://us-west.photos.example/").name, *Name::Parse("us-west.photos.example"));
  EXPECT_EQ(Target("http://Photos.Example./").host, "photos.example");
}

TEST(VisitTarget, AnotherHostIsRefusedWithWhatToVisitInstead) {
  for (const char* url : {"http://other.example/", "http://xphotos.example/", "http://example/",
                          "http://127.1.0.1:8080/"}) {
    EXPECT_THAT(Refusal(url), HasSubstr("is not of this site; visit http://photos.example/"));
    EXPECT_THAT(Refusal(url), HasSubstr("http://us-east.photos.example/"));
  }
}

TEST(VisitTarget, WhatIsNoUrlIsRefused) {
  EXPECT_THAT(Refusal("photos.example"), HasSubstr("http://"));
  EXPECT_NE(Refusal("ftp://photos.example/"), "");
  EXPECT_NE(Refusal("http://" + std::string(64, 'a') + ".photos.example/"), "");
}

TEST(VisitOrigin, APlaceIsItsPrefix) {
  VisitOrigin origin = Origin("new-york");
  EXPECT_EQ(origin.shown, "new-york (198.51.100.0/24)");
  EXPECT_EQ(Subnet("new-york").address.ToString(), "198.51.100.0");
  EXPECT_EQ(Subnet("new-york").source_length, 24);
  EXPECT_EQ(Subnet("oregon").source_length, 40);
}

TEST(VisitOrigin, OfAnAddressTheBlockIsToldThatAResolverWouldTell) {
  EXPECT_EQ(Origin("203.0.113.9").shown, "203.0.113.9 (203.0.113.0/24)");
  EXPECT_EQ(Subnet("203.0.113.9").address.ToString(), "203.0.113.0");
  EXPECT_EQ(Subnet("2001:db8:1:2ff::1").address.ToString(), "2001:db8:1:200::");
  EXPECT_EQ(Subnet("2001:db8:1:2ff::1").source_length, 56);
}

TEST(VisitOrigin, APrefixIsTakenAsItIs) {
  EXPECT_EQ(Subnet("203.0.112.0/22").source_length, 22);
  EXPECT_EQ(Origin("203.0.112.0/22").shown, "203.0.112.0/22");
}

TEST(VisitOrigin, NothingIsHere) {
  EXPECT_EQ(Origin("").subnet, std::nullopt);
  EXPECT_EQ(Origin("").shown, "");
}

TEST(VisitOrigin, WhatIsNeitherIsRefusedWithTheNearestPlace) {
  EXPECT_THAT(ParseOrigin("new-yrk", Places()).error().message, HasSubstr("mean new-york?"));
  EXPECT_THAT(ParseOrigin("mars", {}).error().message, HasSubstr("'mars' is neither"));
  EXPECT_THAT(ParseOrigin("203.0.113.9/24", Places()).error().message, HasSubstr("203.0.113.0/24"));
}

}  // namespace
}  // namespace meridian::cli
