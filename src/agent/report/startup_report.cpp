#include "agent/report/startup_report.hpp"

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "wire/json/value.hpp"
#include "wire/json/writer.hpp"

namespace meridian::agent {

std::string EncodeWaitReport(std::string_view waits_for) {
  wire::json::Writer writer;
  writer.BeginObject();
  writer.Member("waits_for", waits_for.substr(0, kMaxWaitReportBytes));
  writer.EndObject();
  return writer.Take() + "\n";
}

std::optional<std::string> DecodeWaitReport(std::string_view line) {
  Result<wire::json::Value> report = wire::json::Parse(line);
  const wire::json::Value* text = report ? report->Find("waits_for") : nullptr;
  if (text == nullptr || !text->text()) return std::nullopt;
  return std::string(*text->text());
}

std::string EncodeStartupReport(const Result<void>& outcome) {
  wire::json::Writer writer;
  writer.BeginObject();
  if (outcome) {
    writer.Member("ready", true);
  } else {
    writer.Member("error", outcome.error().message);
  }
  writer.EndObject();
  std::string line = writer.Take() + "\n";
  if (line.size() <= kMaxStartupReportBytes) return line;
  return EncodeStartupReport(Fail(Errc::kTooLarge, "it failed; the reason is in its log"));
}

Result<void> DecodeStartupReport(std::string_view line) {
  Result<wire::json::Value> report = wire::json::Parse(line);
  if (report && report->BooleanOf("ready")) return {};
  const wire::json::Value* error = report ? report->Find("error") : nullptr;
  if (error != nullptr && error->text()) return Fail(Errc::kUnavailable, "{}", *error->text());
  return Fail(Errc::kInvalid, "the agent's startup report cannot be read");
}

}  // namespace meridian::agent
