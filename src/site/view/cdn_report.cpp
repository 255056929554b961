#include "site/view/cdn_report.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"
#include "site/limits.hpp"
#include "site/view/json_reader.hpp"
#include "wire/json/value.hpp"
#include "wire/json/writer.hpp"

namespace meridian::site {
namespace {

using wire::json::Value;
using wire::json::Writer;

// The members of objects are in the order of their names.
void WriteAmount(std::string_view name, const CdnAmount& amount, Writer& writer) {
  writer.BeginObject(name);
  writer.Member("bytes", amount.bytes);
  writer.Member("requests", amount.requests);
  writer.EndObject();
}

void WriteTraffic(const CdnTraffic& traffic, Writer& writer) {
  writer.BeginObject();
  WriteAmount("between", traffic.between, writer);
  WriteAmount("from_cache", traffic.from_cache, writer);
  WriteAmount("from_origin", traffic.from_origin, writer);
  WriteAmount("to_visitors", traffic.to_visitors, writer);
  writer.Member("type", traffic.type);
  writer.EndObject();
}

void WriteWaste(const CdnWaste& waste, Writer& writer) {
  writer.BeginObject();
  writer.Member("kind", waste.kind);
  writer.Member("mend", waste.mend);
  writer.Member("url", waste.url);
  WriteAmount("wasted", waste.wasted, writer);
  writer.Member("wrong", waste.wrong);
  writer.EndObject();
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
  Writer writer;
  writer.BeginObject();
  writer.Member("seconds", report.seconds);
  writer.BeginArray("traffic");
  for (const CdnTraffic& each : report.traffic) WriteTraffic(each, writer);
  writer.EndArray();
  writer.BeginArray("wastes");
  for (const CdnWaste& each : report.wastes) WriteWaste(each, writer);
  writer.EndArray();
  writer.EndObject();
  return writer.Take();
}

Result<CdnReport> ReadCdnReport(std::string_view text) {
  Result<Value> object = ParseObject(text, kMaxCdnReportBytes);
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
