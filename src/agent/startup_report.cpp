#include "agent/startup_report.hpp"

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/result.hpp"

namespace meridian::agent {

using nlohmann::json;

std::string EncodeStartupReport(const Result<void>& outcome) {
  json report = outcome ? json{{"ready", true}} : json{{"error", outcome.error().message}};
  std::string line = report.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  if (line.size() <= kLongestStartupReport) return line;
  return EncodeStartupReport(Fail(Errc::kTooLarge, "it failed; the reason is in its log"));
}

Result<void> DecodeStartupReport(std::string_view line) {
  json report = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (report.is_object() && report.value("ready", json()) == true) return {};
  json error = report.is_object() ? report.value("error", json()) : json();
  if (error.is_string()) return Fail(Errc::kUnavailable, "{}", error.get<std::string>());
  return Fail(Errc::kInvalid, "the agent's startup report cannot be read");
}

}  // namespace meridian::agent
