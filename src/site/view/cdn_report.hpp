// The CDN report of an edge: the traffic to visitors and its sources, by content type, and the URLs
// whose headers waste most. `meridian cdn report` fetches it from every agent.
//
// Values; any thread. The codec is strict: errors are kInvalid (with the field and its problem) and
// kTooLarge.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace meridian::site {

// Its path at the edge's ops port and at the agent's admin port.
constexpr std::string_view kCdnReportPath = "/.meridian/cdn";

struct CdnAmount {
  // The bytes that one request counts for when wastes are compared.
  static constexpr uint64_t kRequestWeight = 1024;

  uint64_t requests = 0;
  uint64_t bytes = 0;  // of answers, heads included

  uint64_t weight() const { return bytes + (requests * kRequestWeight); }
  CdnAmount& operator+=(const CdnAmount& other);
  bool operator==(const CdnAmount&) const = default;
};

struct CdnTraffic {
  std::string type;       // a content type; "other"
  CdnAmount to_visitors;  // all responses
  CdnAmount from_cache;   // the part of `to_visitors` without a fetch
  CdnAmount from_origin;  // fetched in the edge's own data center
  CdnAmount between;      // fetched from another data center

  bool operator==(const CdnTraffic&) const = default;
};

struct CdnWaste {
  std::string url;
  std::string kind;   // a token, such as "no-freshness"
  std::string wrong;  // the problem of its headers
  std::string mend;   // the header that fixes it
  CdnAmount wasted;

  bool operator==(const CdnWaste&) const = default;
};

struct CdnReport {
  uint64_t seconds = 0;  // since the start of the edge
  std::vector<CdnTraffic> traffic{};
  std::vector<CdnWaste> wastes{};  // the most wasteful first

  bool operator==(const CdnReport&) const = default;
};

std::string ToJson(const CdnReport& report);
Result<CdnReport> ReadCdnReport(std::string_view json);

}  // namespace meridian::site
