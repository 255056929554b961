// For tests: a snapshot of the photos site (us-east with both families, us-west with IPv4 alone),
// and a client that queries it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "dns/limits.hpp"
#include "dns/responder.hpp"
#include "wire/dns/response.hpp"

namespace meridian::dns {

inline IpPrefix Prefix(std::string_view text) { return *IpPrefix::Parse(text); }

inline ZoneOptions PhotosZone() {
  return {.domain = "photos.example",
          .data_centers = {{"us-east",
                            {IpAddress::V4(127, 1, 0, 1), *IpAddress::Parse("2001:db8:1::1")}},
                           {"us-west", {IpAddress::V4(127, 2, 0, 1)}}},
          .https_port = 8443,
          .ttl_seconds = 30};
}

inline std::vector<DataCenterCandidate> PhotosCandidates() {
  return {{.name = "us-east", .location = UnitVectorOf({39.04, -77.49})},
          {.name = "us-west", .location = UnitVectorOf({37.34, -121.89})}};
}

inline std::vector<Place> PhotosPlaces() {
  Location new_york{40.71, -74.01};
  Location oregon{45.52, -122.68};
  return {{"new-york", Prefix("198.51.100.0/24"), new_york},
          {"oregon", Prefix("203.0.113.0/24"), oregon},
          {"split", Prefix("192.0.2.0/24"), oregon},
          {"other-half", Prefix("192.0.2.128/25"), new_york}};
}

struct PhotosOptions {
  SteeringMode mode = SteeringMode::kNearest;
  std::vector<DataCenterCandidate> candidates = PhotosCandidates();
  ZoneOptions zone = PhotosZone();
  DataCenterMapOptions map;
};

inline Snapshot Photos(const PhotosOptions& options = {}) {
  auto locator = std::make_shared<Locator>(*Locator::Build(PhotosPlaces(), nullptr));
  return {
      .zone = std::make_shared<Zone>(*Zone::Build(options.zone)),
      .locator = locator,
      .map = std::make_shared<DataCenterMap>(*DataCenterMap::Build(options.map, locator->places())),
      .mode = options.mode,
      .steering = Steering(options.mode, options.candidates)};
}

// kMaxDataCenters data centers that are out, each with the maximum of addresses.
inline Snapshot LargeSite() {
  PhotosOptions options;
  options.zone.data_centers.clear();
  options.candidates.clear();
  for (uint8_t i = 0; i < kMaxDataCenters; ++i) {
    ZoneDataCenter data_center{.name = fmt::format("data-center-{}", i), .addresses = {}};
    for (uint8_t j = 0; j < 8; ++j) data_center.addresses.push_back(IpAddress::V4(10, i, j, 1));
    options.candidates.push_back({.name = data_center.name, .location = {}, .serving = false});
    options.zone.data_centers.push_back(data_center);
  }
  return Photos(options);
}

// A query and its source address.
struct TestQuery {
  std::string name;
  wire::dns::RecordType type = wire::dns::RecordType::kA;
  wire::dns::RecordClass record_class = wire::dns::RecordClass::kIn;
  IpAddress source = IpAddress::V4(203, 0, 113, 9);
  std::optional<IpPrefix> subnet = std::nullopt;
  Transport transport = Transport::kUdp;
};

inline wire::dns::Query QueryOf(const TestQuery& test_query) {
  wire::dns::Query query{.id = 0x1234,
                         .question = wire::dns::Question{*wire::dns::Name::Parse(test_query.name),
                                                         test_query.type, test_query.record_class}};
  if (test_query.subnet) {
    wire::dns::ClientSubnet subnet{
        .address = test_query.subnet->address,
        .source_length = static_cast<uint8_t>(test_query.subnet->length)};
    query.edns = wire::dns::Edns{.udp_size = wire::dns::kMaxUdpResponseBytes, .subnet = subnet};
  }
  return query;
}

inline std::pair<Reply, std::vector<uint8_t>> RespondTo(const Snapshot& snapshot,
                                                        const QueryPacket& packet) {
  std::vector<uint8_t> out(packet.transport == Transport::kUdp ? wire::dns::kMaxUdpResponseBytes
                                                               : kMaxTcpResponseBytes);
  Reply reply = Respond(snapshot, packet, out);
  out.resize(reply.bytes);
  return {reply, out};
}

inline std::vector<uint8_t> MessageOf(const TestQuery& test_query) {
  std::vector<uint8_t> message(wire::dns::kMinUdpResponseBytes);
  message.resize(wire::dns::EncodeQuery(QueryOf(test_query), message));
  return message;
}

// The decoded response. Expects a response that answers the query.
inline wire::dns::Response Ask(const Snapshot& snapshot, const TestQuery& test_query) {
  wire::dns::Query query = QueryOf(test_query);
  std::vector<uint8_t> message = MessageOf(test_query);
  auto [reply, bytes] = RespondTo(snapshot, {message, test_query.source, test_query.transport});
  Result<wire::dns::Response> response = wire::dns::DecodeResponse(bytes);
  EXPECT_TRUE(response && Answers(*response, query)) << test_query.name;
  return response.value_or(wire::dns::Response());
}

}  // namespace meridian::dns
