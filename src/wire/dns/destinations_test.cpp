#include "wire/dns/destinations.hpp"

#include <gtest/gtest.h>

namespace meridian::wire::dns {
namespace {

const IpAddress kEast = IpAddress::V4(127, 1, 0, 1);
const IpAddress kWest = IpAddress::V4(127, 2, 0, 1);

Name N(std::string_view text) { return *Name::Parse(text); }

Response ResponseFor(RecordType type, Rcode rcode = Rcode::kNoError) {
  return {.rcode = rcode, .question = Question{N("photos.example"), type}};
}

Record AddressOf(std::string_view name, const IpAddress& address, uint32_t ttl_seconds = 30) {
  return {.owner = N(name), .ttl_seconds = ttl_seconds, .data = address};
}

Record HttpsOf(uint16_t priority, std::string_view target, std::vector<IpAddress> hints) {
  ServiceBinding binding{
      .priority = priority, .target = N(target), .port = 8443, .ipv4_hints = std::move(hints)};
  return {
      .owner = N("photos.example"), .type = RecordType::kHttps, .ttl_seconds = 20, .data = binding};
}

std::vector<IpAddress> AddressesOf(const std::vector<Response>& responses) {
  Result<Destinations> destinations = DestinationsOf(responses);
  EXPECT_TRUE(destinations) << destinations.error().message;
  std::vector<IpAddress> addresses;
  for (const Destination& destination : destinations->list)
    addresses.push_back(destination.address);
  return addresses;
}

TEST(DestinationsOf, GivesTheAddressFirstAndThenTheHttpsRecordsByPriority) {
  Response a = ResponseFor(RecordType::kA);
  a.answers = {AddressOf("photos.example", kWest)};
  Response https = ResponseFor(RecordType::kHttps);
  https.answers = {HttpsOf(2, "us-east.photos.example", {kEast}),
                   HttpsOf(1, "us-west.photos.example", {kWest})};
  Result<Destinations> destinations = DestinationsOf(std::vector{https, a});
  ASSERT_TRUE(destinations);
  ASSERT_EQ(destinations->list.size(), 2U);
  EXPECT_EQ(destinations->list[0], (Destination{N("photos.example"), kWest, 0, 8443}));
  EXPECT_EQ(destinations->list[1], (Destination{N("us-east.photos.example"), kEast, 2, 8443}));
  EXPECT_EQ(destinations->ttl_seconds, 20U);
}

TEST(DestinationsOf, AdditionalAddressesComeBeforeHints) {
  Response https = ResponseFor(RecordType::kHttps);
  https.answers = {HttpsOf(1, "us-west.photos.example", {kEast})};
  https.additionals = {AddressOf("us-west.photos.example", kWest, 7)};
  EXPECT_EQ(AddressesOf({https}), std::vector{kWest});
  EXPECT_EQ(DestinationsOf(std::vector{https})->ttl_seconds, 7U);
}

TEST(DestinationsOf, RootTargetIsTheNameItself) {
  Response https = ResponseFor(RecordType::kHttps);
  https.answers = {HttpsOf(1, ".", {kEast})};
  EXPECT_EQ(DestinationsOf(std::vector{https})->list[0].host, N("photos.example"));
}

TEST(DestinationsOf, PassesOverAliasesUnknownMandatoryKeysAndOtherNames) {
  Response a = ResponseFor(RecordType::kA);
  a.answers = {AddressOf("photos.example", kEast), AddressOf("other.example", kWest)};
  Response https = ResponseFor(RecordType::kHttps);
  Record needy = HttpsOf(1, "us-west.photos.example", {kWest});
  std::get<ServiceBinding>(needy.data).others = {{0, {0xff, 0x00}}, {0xff00, {}}};
  https.answers = {HttpsOf(0, "us-west.photos.example", {kWest}), needy};
  EXPECT_EQ(AddressesOf({a, https}), std::vector{kEast});
}

TEST(DestinationsOf, MandatoryKeyThatIsKnownIsNoObstacle) {
  Response https = ResponseFor(RecordType::kHttps);
  Record record = HttpsOf(1, "us-west.photos.example", {kWest});
  std::get<ServiceBinding>(record.data).others = {{0, {0, 3}}, {0xff00, {}}};
  https.answers = {record};
  EXPECT_EQ(AddressesOf({https}), std::vector{kWest});
}

TEST(DestinationsOf, SaysWhyThereIsNone) {
  auto error = [](Rcode rcode) {
    return DestinationsOf(std::vector{ResponseFor(RecordType::kA, rcode)}).error().code;
  };
  EXPECT_EQ(error(Rcode::kNxDomain), Errc::kNotFound);
  EXPECT_EQ(error(Rcode::kNoError), Errc::kNotFound);
  EXPECT_EQ(error(Rcode::kRefused), Errc::kUnavailable);
  EXPECT_EQ(error(Rcode::kServFail), Errc::kUnavailable);
  Response without_question{.rcode = Rcode::kNoError};
  EXPECT_EQ(DestinationsOf(std::vector{without_question}).error().code, Errc::kUnavailable);
}

}  // namespace
}  // namespace meridian::wire::dns
