// For tests: the photos site, and successful and failed visits of it.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "site/site.hpp"
#include "visit/record.hpp"

namespace meridian::visit {

using std::chrono::milliseconds;

inline site::Site PhotosSite() {
  site::Site site{.name = "photos", .domain = "photos.example"};
  for (uint8_t i = 1; i <= 2; ++i) {
    IpAddress address = IpAddress::V4(127, i, 0, 1);
    site.datacenters.push_back({.name = i == 1 ? "us-east" : "us-west",
                                .address = address,
                                .public_addresses = {address}});
  }
  return site;
}

inline Endpoint At(std::string_view text) { return Endpoint::Parse(text).value(); }

inline Attempt Answered(const std::string& data_center, int status = 200) {
  return {.address = {At("127.1.0.1:8080"), data_center},
          .connect = milliseconds{1},
          .request = milliseconds{2},
          .status = status,
          .path = {.edge = data_center, .datacenter = data_center, .instance = data_center + "-1"}};
}

inline Attempt Broken(Errc code, const std::string& data_center = "us-east") {
  return {.address = {At("127.1.0.1:8080"), data_center},
          .connect = milliseconds{1},
          .error = Error{code, "connect 127.1.0.1:8080"}};
}

inline std::optional<Errc> ErrorOf(const Attempt& attempt) {
  if (!attempt.error) return {};
  return attempt.error->code;
}

inline Visit VisitOf(std::vector<Attempt> attempts, Duration took = milliseconds{3}) {
  return {.attempts = std::move(attempts), .took = took};
}

inline Visit ServedVisit(const std::string& data_center) {
  return VisitOf({Answered(data_center)});
}

inline Visit VisitWithoutAddress(Errc code) {
  return {.problem = Error{code, "no name server answered"}};
}

}  // namespace meridian::visit
