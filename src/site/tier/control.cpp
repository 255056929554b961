#include "site/tier/control.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/result.hpp"
#include "site/limits.hpp"
#include "site/view/json_reader.hpp"
#include "site/view/view.hpp"
#include "site/view/view_json.hpp"
#include "wire/json/value.hpp"
#include "wire/json/writer.hpp"

namespace meridian::site {
namespace {

using wire::json::Value;
using wire::json::Writer;

// At most `max_bytes` of the text, cut between UTF-8 sequences.
std::string_view Shortened(std::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  while (max_bytes > 0 && (static_cast<uint8_t>(text[max_bytes]) & 0xc0) == 0x80) --max_bytes;
  return text.substr(0, max_bytes);
}

void Write(const InstanceReport& instance, Writer& writer) {
  writer.BeginObject();
  writer.Member("failures", instance.failures);
  writer.Member("id", Shortened(instance.id, kMaxReportedNameBytes));
  writer.Member("in_flight", instance.in_flight);
  writer.Member("requests", instance.requests);
  writer.Member("use", StateName(instance.use));
  writer.EndObject();
}

std::vector<InstanceReport> ReadInstances(JsonReader& report) {
  std::vector<InstanceReport> instances;
  if (!report.Has("instances")) return instances;
  for (JsonReader& reader : report.Objects("instances", kMaxInstancesPerDataCenter)) {
    instances.push_back(
        {.id = reader.Text("id", kMaxReportedNameBytes),
         .use = ReadInstanceUse(reader, "use"),
         .in_flight = static_cast<uint32_t>(reader.Unsigned("in_flight", UINT32_MAX)),
         .requests = static_cast<uint32_t>(reader.Unsigned("requests", UINT32_MAX)),
         .failures = static_cast<uint32_t>(reader.Unsigned("failures", UINT32_MAX))});
  }
  return instances;
}

}  // namespace

Result<std::string> EncodeView(const SiteView& view) {
  Result<std::string> text = ToJson(view);
  if (!text) return Fail(text.error());
  return fmt::format("{{\"view\":{}}}\n", *text);
}

std::string EncodeReport(const TierReport& report) {
  // The detail must stay within its limit.
  Writer writer({.invalid_utf8 = Writer::InvalidUtf8::kDrop});
  writer.BeginObject();
  writer.Member("connections", report.connections);
  writer.Member("detail", Shortened(report.detail, kMaxDetailBytes));
  if (!report.instances.empty()) {
    writer.BeginArray("instances");
    size_t count = std::min<size_t>(report.instances.size(), kMaxInstancesPerDataCenter);
    for (size_t i = 0; i < count; ++i) Write(report.instances[i], writer);
    writer.EndArray();
  }
  writer.Member("leaving", report.leaving);
  writer.Member("load_rps", report.load_rps);
  writer.Member("ready", report.ready);
  writer.Member("view", report.view_number);
  writer.EndObject();
  return writer.Take() + "\n";
}

Result<SiteView> DecodeView(std::string_view line) {
  Result<Value> object = ParseObject(line, kMaxControlLineBytes);
  if (!object) return Fail(object.error());
  std::optional<Error> error;
  JsonReader message(*object, "message", &error);
  JsonReader reader = message.Object("view");
  SiteView view = ReadView(reader);
  if (error) return Fail(*error);
  return view;
}

Result<TierReport> DecodeReport(std::string_view line) {
  Result<Value> object = ParseObject(line, kMaxReportBytes);
  if (!object) return Fail(object.error());
  std::optional<Error> error;
  JsonReader reader(*object, "report", &error);
  TierReport report{.ready = reader.Boolean("ready"),
                    .view_number = reader.Unsigned("view"),
                    .detail = reader.Text("detail", kMaxDetailBytes),
                    .load_rps = static_cast<uint32_t>(reader.Unsigned("load_rps", UINT32_MAX)),
                    .connections = reader.Unsigned("connections"),
                    .leaving = reader.Unsigned("leaving"),
                    .instances = ReadInstances(reader)};
  if (error) return Fail(*error);
  return report;
}

Result<std::optional<std::string>> LineSplitter::Take(std::string_view* input) {
  size_t newline = input->find('\n');
  std::string_view piece = input->substr(0, newline);
  if (piece.size() > max_line_bytes_ - partial_.size()) {
    return Fail(Errc::kTooLarge, "a line of more than {} bytes", max_line_bytes_);
  }
  partial_ += piece;
  input->remove_prefix(newline == std::string_view::npos ? piece.size() : newline + 1);
  if (newline == std::string_view::npos) return std::nullopt;
  return std::exchange(partial_, {});
}

}  // namespace meridian::site
