// The status of the lab's links, and requests to change a link: a pure codec between `meridian
// link` and the lab.
//
//   GET  /links                       {"links":[{"a":"us-east","b":"us-west","latency_ms":61.7,…}]}
//   POST /links/us-east/us-west/set?latency_us=70000&jitter_us=5000&rate_bits=100000000
//   POST /links/us-east/us-west/cut   likewise half-cut (data from us-east is held) and heal
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "lab/link_table.hpp"

namespace meridian::lab {

struct LinkStatus {
  std::string a;
  std::string b;
  double latency_ms = 0;  // round trip
  double jitter_ms = 0;
  uint64_t rate_bits = 0;  // a second; 0: unbounded
  std::string state;       // "up", "cut", "half-cut"
  std::string silent;      // of a half-cut link: the end whose data does not arrive
  uint64_t bytes_from_a = 0;
  uint64_t bytes_from_b = 0;
};

std::vector<LinkStatus> StatusOf(const LinkTable& table);
std::string EncodeLinks(const std::vector<LinkStatus>& links);
// kInvalid for anything that EncodeLinks does not write.
Result<std::vector<LinkStatus>> DecodeLinks(std::string_view json);

// An order to the lab.
struct LinkRequest {
  std::string from;
  std::string to;
  LinkOrder order;
};
std::string EncodeRequest(const LinkRequest& request);  // path and query
// kNotFound: no such request. kInvalid: a malformed value.
Result<LinkRequest> DecodeRequest(std::string_view path, std::string_view query);

}  // namespace meridian::lab
