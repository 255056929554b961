#include "visit/route.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "visit/examples.hpp"
#include "visit/limits.hpp"

namespace meridian::visit {
namespace {

using testing::ElementsAre;

const IpAddress kEast = IpAddress::V4(127, 1, 0, 1);
const IpAddress kWest = IpAddress::V4(127, 2, 0, 1);

DnsAnswer Addresses(std::vector<IpAddress> addresses) {
  return {.addresses = std::move(addresses)};
}

DnsAnswer Services() {
  return {.services = {{.priority = 1, .port = 8443, .ipv4_hints = {kEast}},
                       {.priority = 2, .port = 9443, .ipv4_hints = {kWest}}}};
}

std::vector<std::string> Route(std::string_view url, const RouteAnswers& answers) {
  Target target = ParseTarget(url, PhotosSite()).value();
  std::vector<std::string> shown;
  for (const Address& address : MakeRoute(target, answers, PhotosSite())) {
    shown.push_back(address.endpoint.ToString() + " " + address.data_center);
  }
  return shown;
}

TEST(VisitRoute, TheAddressAnswerComesFirstThenTheHttpsRecordsByPriority) {
  DnsAnswer a = Addresses({kEast});
  DnsAnswer https = Services();
  EXPECT_THAT(Route("https://photos.example/", {.a = &a, .https = &https}),
              ElementsAre("127.1.0.1:8443 us-east", "127.2.0.1:9443 us-west"));
}

TEST(VisitRoute, PlainHttpComesToTheSameHostsAtThePortOfItsUrl) {
  DnsAnswer a = Addresses({kWest});
  DnsAnswer https = Services();
  EXPECT_THAT(Route("http://photos.example/", {.a = &a, .https = &https}),
              ElementsAre("127.2.0.1:8080 us-west", "127.1.0.1:8080 us-east"));
}

TEST(VisitRoute, AnHttpsRecordWithoutPortMeansThePortOfTheUrl) {
  DnsAnswer https{.services = {{.priority = 1, .ipv4_hints = {kEast}}}};
  EXPECT_THAT(Route("https://photos.example:1234/", {.https = &https}),
              ElementsAre("127.1.0.1:1234 us-east"));
}

TEST(VisitRoute, BothFamiliesAreTried) {
  DnsAnswer a = Addresses({kEast});
  DnsAnswer aaaa = Addresses({*IpAddress::Parse("2001:db8::1")});
  DnsAnswer https{
      .services = {{.priority = 1, .port = 8443, .ipv6_hints = {*IpAddress::Parse("::1")}}}};
  EXPECT_THAT(Route("http://photos.example/", {&a, &aaaa, &https}),
              ElementsAre("127.1.0.1:8080 us-east", "[2001:db8::1]:8080 ", "[::1]:8080 "));
}

TEST(VisitRoute, AliasesAndRecordsWithoutHintsArePassedOver) {
  DnsAnswer https{.services = {{.priority = 0, .ipv4_hints = {kEast}}, {.priority = 1}}};
  EXPECT_THAT(Route("http://photos.example/", {.https = &https}), ElementsAre());
}

TEST(VisitRoute, HasNoMoreAddressesThanAVisitTries) {
  std::vector<IpAddress> many;
  for (uint8_t i = 0; i <= kMaxAddresses; ++i) many.push_back(IpAddress::V4(127, 3, 0, i));
  DnsAnswer too_many = Addresses(many);
  EXPECT_EQ(Route("http://photos.example/", {.a = &too_many}).size(), kMaxAddresses);
  many.pop_back();
  DnsAnswer as_many = Addresses(many);
  EXPECT_EQ(Route("http://photos.example/", {.a = &as_many}).size(), kMaxAddresses);
}

}  // namespace
}  // namespace meridian::visit
