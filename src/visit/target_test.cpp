#include "visit/target.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "visit/examples.hpp"

namespace meridian::visit {
namespace {

using testing::HasSubstr;
using wire::dns::Name;

Target Parsed(std::string_view url) { return ParseTarget(url, PhotosSite()).value(); }

std::string Refusal(std::string_view url) {
  Result<Target> target = ParseTarget(url, PhotosSite());
  EXPECT_FALSE(target) << url;
  return target ? "" : target.error().message;
}

std::vector<dns::Place> Places() {
  return {{"new-york", IpPrefix::Parse("198.51.100.0/24").value(), {}},
          {"oregon", IpPrefix::Parse("2001:db8::/40").value(), {}}};
}

Origin ParsedOrigin(std::string_view from) { return ParseOrigin(from, Places()).value(); }

// 0.0.0.0/0 if there is none.
wire::dns::ClientSubnet Subnet(std::string_view from) {
  return ParsedOrigin(from).subnet.value_or(wire::dns::ClientSubnet{});
}

TEST(Target, AUrlWithoutPortMeansTheEdgesOwnPorts) {
  Target plain = Parsed("http://photos.example/");
  EXPECT_FALSE(plain.https);
  EXPECT_EQ(plain.port, 8080);
  EXPECT_EQ(plain.authority, "photos.example");
  Target secure = Parsed("https://photos.example");
  EXPECT_TRUE(secure.https);
  EXPECT_EQ(secure.port, 8443);
  EXPECT_EQ(secure.path, "/");
  EXPECT_EQ(secure.service_name, *Name::Parse("photos.example"));
}

TEST(Target, APortThatIsGivenIsTakenAndNamesTheHttpsRecords) {
  EXPECT_EQ(Parsed("http://photos.example:8081/").port, 8081);
  EXPECT_EQ(Parsed("http://photos.example:8081/").authority, "photos.example:8081");
  EXPECT_EQ(Parsed("http://photos.example:8081/").service_name, *Name::Parse("photos.example"));
  EXPECT_EQ(Parsed("https://photos.example:8443/").service_name,
            *Name::Parse("_8443._https.photos.example"));
}

TEST(Target, PathAndQueryAreTakenApart) {
  Target target = Parsed("http://photos.example/a/b?c=d?e");
  EXPECT_EQ(target.path, "/a/b");
  EXPECT_EQ(target.query, "c=d?e");
  EXPECT_EQ(Parsed("http://photos.example/a").query, std::nullopt);
  EXPECT_EQ(Parsed("http://photos.example/a?").query, "");
}

TEST(Target, NamesBelowTheDomainAreOfTheSite) {
  EXPECT_EQ(Parsed("http://us-west.photos.example/").name, *Name::Parse("us-west.photos.example"));
  EXPECT_EQ(Parsed("http://Photos.Example./").host, "photos.example");
}

TEST(Target, AnotherHostIsRefusedWithWhatToVisitInstead) {
  for (const char* url : {"http://other.example/", "http://xphotos.example/", "http://example/",
                          "http://127.1.0.1:8080/"}) {
    EXPECT_THAT(Refusal(url), HasSubstr("is not of this site; visit http://photos.example/"));
    EXPECT_THAT(Refusal(url), HasSubstr("http://us-east.photos.example/"));
  }
}

TEST(Target, WhatIsNoUrlIsRefused) {
  EXPECT_THAT(Refusal("photos.example"), HasSubstr("http://"));
  EXPECT_NE(Refusal("ftp://photos.example/"), "");
  EXPECT_NE(Refusal("http://" + std::string(64, 'a') + ".photos.example/"), "");
}

TEST(Origin, APlaceIsItsPrefix) {
  Origin origin = ParsedOrigin("new-york");
  EXPECT_EQ(origin.shown, "new-york (198.51.100.0/24)");
  EXPECT_EQ(Subnet("new-york").address.ToString(), "198.51.100.0");
  EXPECT_EQ(Subnet("new-york").source_length, 24);
  EXPECT_EQ(Subnet("oregon").source_length, 40);
}

TEST(Origin, OfAnAddressTheBlockIsToldThatAResolverWouldTell) {
  EXPECT_EQ(ParsedOrigin("203.0.113.9").shown, "203.0.113.9 (203.0.113.0/24)");
  EXPECT_EQ(Subnet("203.0.113.9").address.ToString(), "203.0.113.0");
  EXPECT_EQ(Subnet("2001:db8:1:2ff::1").address.ToString(), "2001:db8:1:200::");
  EXPECT_EQ(Subnet("2001:db8:1:2ff::1").source_length, 56);
}

TEST(Origin, APrefixIsTakenAsItIs) {
  EXPECT_EQ(Subnet("203.0.112.0/22").source_length, 22);
  EXPECT_EQ(ParsedOrigin("203.0.112.0/22").shown, "203.0.112.0/22");
}

TEST(Origin, NothingIsHere) {
  EXPECT_EQ(ParsedOrigin("").subnet, std::nullopt);
  EXPECT_EQ(ParsedOrigin("").shown, "");
}

TEST(Origin, WhatIsNeitherIsRefusedWithTheNearestPlace) {
  EXPECT_THAT(ParseOrigin("new-yrk", Places()).error().message, HasSubstr("mean new-york?"));
  EXPECT_THAT(ParseOrigin("mars", {}).error().message, HasSubstr("'mars' is neither"));
  EXPECT_THAT(ParseOrigin("203.0.113.9/24", Places()).error().message, HasSubstr("203.0.113.0/24"));
}

}  // namespace
}  // namespace meridian::visit
