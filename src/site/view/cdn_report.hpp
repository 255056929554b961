// What an edge tells of its work: how much went to visitors, from where, by content type, and the
// URLs whose headers waste most. `meridian cdn report` asks every agent for its edge's.
//
// Values; any thread. The codec is strict: errors are kInvalid (what is wrong, and where) and
// kTooLarge.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace meridian::site {

// The path of it: at the edge's ops port, and at the agent's admin port.
constexpr std::string_view kCdnReportPath = "/.meridian/cdn";

struct CdnAmount {
  // What one request counts for where what was wasted is compared.
  static constexpr uint64_t kRequestWeight = 1024;

  uint64_t requests = 0;
  uint64_t bytes = 0;  // of answers, heads included

  uint64_t weight() const { return bytes + (requests * kRequestWeight); }
  CdnAmount& operator+=(const CdnAmount& other);
  bool operator==(const CdnAmount&) const = default;
};

struct CdnTraffic {
  std::string type;       // a content type; "other"
  CdnAmount to_visitors;  // all that they got
  CdnAmount from_cache;   // of that; requests that nobody else was asked for
  CdnAmount from_origin;  // fetched in the own data center
  CdnAmount between;      // fetched from another data center

  bool operator==(const CdnTraffic&) const = default;
};

struct CdnWaste {
  std::string url;
  std::string kind;   // a token, such as "no-freshness"
  std::string wrong;  // what is wrong with its headers
  std::string mend;   // the header that mends it
  CdnAmount wasted;

  bool operator==(const CdnWaste&) const = default;
};

struct CdnReport {
  uint64_t seconds = 0;  // that it is about: since the edge was started
  std::vector<CdnTraffic> traffic{};
  std::vector<CdnWaste> wastes{};  // the most wasteful first

  bool operator==(const CdnReport&) const = default;
};

std::string ToJson(const CdnReport& report);
Result<CdnReport> ReadCdnReport(std::string_view json);

}  // namespace meridian::site
