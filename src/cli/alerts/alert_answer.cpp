#include "cli/alerts/alert_answer.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"
#include "base/text/utf8.hpp"
#include "cli/alerts/limits.hpp"
#include "cli/queue/offset_target.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/lines/printable.hpp"
#include "wire/json/value.hpp"

namespace meridian::cli {
namespace {

using wire::json::Value;

constexpr const char* kNameLabel = "alertname";
constexpr std::string_view kDigits = "0123456789";

// "Z", or by how much a clock there leads UTC: "+01:00", in ms.
std::optional<int64_t> ReadOffset(std::string_view text) {
  constexpr size_t kBytes = 6;
  if (text == "Z") return 0;
  if (text.size() != kBytes || text[0] == 'Z' || text[3] != ':') return std::nullopt;
  const std::string digits = {text[1], text[2], text[4], text[5]};
  if (digits.find_first_not_of(kDigits) != digits.npos) return std::nullopt;
  const int hours = ((digits[0] - '0') * 10) + (digits[1] - '0');
  const int minutes = ((digits[2] - '0') * 10) + (digits[3] - '0');
  const int64_t ms = ((hours * int64_t{60}) + minutes) * 60 * 1000;
  return text.front() == '-' ? -ms : ms;
}

Result<std::map<std::string, std::string>> ReadTexts(const Value* object, std::string_view what) {
  std::map<std::string, std::string> texts;
  if (object == nullptr || !object->is_object()) {
    return Fail(Errc::kInvalid, "an alert has no {}", what);
  }
  if (object->members().size() > kMaxAlertLabels) {
    return Fail(Errc::kTooLarge, "an alert has more than {} {}", kMaxAlertLabels, what);
  }
  for (const auto& [name, value] : object->members()) {
    auto text = value.text();
    if (!text) return Fail(Errc::kInvalid, "one of the {} of an alert is no text", what);
    texts[OneLine(name)] = OneLine(*text);
  }
  return texts;
}

Result<Alert> ReadAlert(const Value& value) {
  Alert alert;
  auto labels = ReadTexts(value.Find("labels"), "labels");
  if (!labels) return Fail(std::move(labels.error()));
  alert.labels = std::move(*labels);
  auto name = alert.labels.extract(kNameLabel);
  if (name.empty() || name.mapped().empty()) return Fail(Errc::kInvalid, "an alert has no name");
  alert.name = std::move(name.mapped());
  auto annotations = ReadTexts(value.Find("annotations"), "annotations");
  if (!annotations) return Fail(std::move(annotations.error()));
  alert.annotations = std::move(*annotations);
  const std::string state = value.TextOf("state");
  if (state != "firing" && state != "pending") {
    return Fail(Errc::kInvalid, "{} is in no known state", alert.name);
  }
  alert.firing = state == "firing";
  auto since = ReadAlertTime(value.TextOf("activeAt"));
  if (!since) return Fail(Errc::kInvalid, "{} has no activeAt that is a time", alert.name);
  alert.since_ms = *since;
  return alert;
}

std::string TextIn(const std::map<std::string, std::string>& texts, const std::string& name) {
  auto found = texts.find(name);
  return found == texts.end() ? "" : found->second;
}

}  // namespace

std::string Alert::LabelOf(const std::string& label) const { return TextIn(labels, label); }

std::string Alert::AnnotationOf(const std::string& annotation) const {
  return TextIn(annotations, annotation);
}

std::string OneLine(std::string_view text) {
  const bool cut = text.size() > kMaxAlertTextBytes;
  std::string line;
  watch::EntryMarks marks;
  if (cut) {
    // Not within a character.
    size_t end = kMaxAlertTextBytes;
    while (end > kMaxAlertTextBytes - 4 && Utf8Length(text.substr(end)) == 0) --end;
    text = text.substr(0, end);
  }
  watch::AppendPrintable(line, text, &marks);
  std::ranges::replace(line, '\n', ' ');
  std::ranges::replace(line, '\t', ' ');
  return cut ? line + "…" : line;
}

std::optional<int64_t> ReadAlertTime(std::string_view text) {
  constexpr size_t kSecondsEnd = 19;
  constexpr size_t kMaxFraction = 10;
  const size_t zone = text.find_first_of("Z+-", std::min(kSecondsEnd, text.size()));
  if (zone == text.npos) return std::nullopt;
  const std::string_view fraction = text.substr(kSecondsEnd, zone - kSecondsEnd);
  const bool fits =
      fraction.empty() || (fraction.starts_with('.') && fraction.size() <= kMaxFraction &&
                           fraction.find_first_not_of(kDigits, 1) == fraction.npos);
  const auto offset_ms = ReadOffset(text.substr(zone));
  if (!fits || !offset_ms) return std::nullopt;
  auto ms = ParseTime(std::string(text.substr(0, kSecondsEnd)) + "Z");
  if (!ms) return std::nullopt;
  return *ms - *offset_ms;
}

Result<AlertAnswer> ReadAlertAnswer(std::string_view json) {
  Result<Value> answer = wire::json::Parse(json, kMaxAlertAnswerBytes);
  if (!answer) return Fail(std::move(answer.error()));
  if (answer->TextOf("status") != "success") {
    const std::string error = OneLine(answer->TextOf("error"));
    return Fail(Errc::kInvalid, "it has no status \"success\"{}{}", error.empty() ? "" : ": ",
                error);
  }
  const Value* data = answer->Find("data");
  const Value* alerts = data == nullptr ? nullptr : data->Find("alerts");
  if (alerts == nullptr || !alerts->is_array()) return Fail(Errc::kInvalid, "it has no alerts");
  AlertAnswer read;
  for (const Value& each : alerts->elements()) {
    if (read.alerts.size() == kMaxAlertsOfDataCenter) {
      read.left_out = alerts->elements().size() - kMaxAlertsOfDataCenter;
      break;
    }
    Result<Alert> alert = ReadAlert(each);
    if (!alert) return Fail(std::move(alert.error()));
    read.alerts.push_back(std::move(*alert));
  }
  return read;
}

}  // namespace meridian::cli
