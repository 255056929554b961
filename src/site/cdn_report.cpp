#include "site/cdn_report.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/result.hpp"
#include "site/json_reader.hpp"
#include "site/limits.hpp"

namespace meridian::site {
namespace {

using nlohmann::json;

json AmountValue(const CdnAmount& amount) {
  return {{"requests", amount.requests}, {"bytes", amount.bytes}};
}

CdnAmount ReadAmount(JsonReader reader) {
  return {.requests = reader.Unsigned("requests"), .bytes = reader.Unsigned("bytes")};
}

CdnTraffic ReadTraffic(JsonReader& reader) {
  return {.type = reader.Text("type", kMaxCdnTextBytes),
          .to_visitors = ReadAmount(reader.Object("to_visitors")),
          .from_cache = ReadAmount(reader.Object("from_cache")),
          .from_origin = ReadAmount(reader.Object("from_origin")),
          .between = ReadAmount(reader.Object("between"))};
}

CdnWaste ReadWaste(JsonReader& reader) {
  return {.url = reader.Text("url", kMaxCdnUrlBytes),
          .kind = reader.Text("kind", kMaxCdnTextBytes),
          .wrong = reader.Text("wrong", kMaxCdnTextBytes),
          .mend = reader.Text("mend", kMaxCdnTextBytes),
          .wasted = ReadAmount(reader.Object("wasted"))};
}

}  // namespace

CdnAmount& CdnAmount::operator+=(const CdnAmount& other) {
  requests += other.requests;
  bytes += other.bytes;
  return *this;
}

std::string ToJson(const CdnReport& report) {
  json traffic = json::array();
  for (const CdnTraffic& each : report.traffic) {
    traffic.push_back({{"type", each.type},
                       {"to_visitors", AmountValue(each.to_visitors)},
                       {"from_cache", AmountValue(each.from_cache)},
                       {"from_origin", AmountValue(each.from_origin)},
                       {"between", AmountValue(each.between)}});
  }
  json wastes = json::array();
  for (const CdnWaste& each : report.wastes) {
    wastes.push_back({{"url", each.url},
                      {"kind", each.kind},
                      {"wrong", each.wrong},
                      {"mend", each.mend},
                      {"wasted", AmountValue(each.wasted)}});
  }
  json all = {
      {"seconds", report.seconds}, {"traffic", std::move(traffic)}, {"wastes", std::move(wastes)}};
  // A URL may hold anything: JSON replaces what is no UTF-8.
  return all.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<CdnReport> ReadCdnReport(std::string_view text) {
  Result<json> object = ParseObject(text, kMaxCdnReportBytes);
  if (!object) return Fail(std::move(object.error()));
  std::optional<Error> error;
  JsonReader reader(*object, "report", &error);
  CdnReport report{.seconds = reader.Unsigned("seconds")};
  for (JsonReader& each : reader.Objects("traffic", kMaxCdnTypes)) {
    report.traffic.push_back(ReadTraffic(each));
  }
  for (JsonReader& each : reader.Objects("wastes", kMaxCdnWastes)) {
    report.wastes.push_back(ReadWaste(each));
  }
  if (error) return Fail(*std::move(error));
  return report;
}

}  // namespace meridian::site
