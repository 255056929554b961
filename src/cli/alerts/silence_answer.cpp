#include "cli/alerts/silence_answer.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/result.hpp"
#include "cli/alerts/alert_answer.hpp"
#include "cli/alerts/limits.hpp"
#include "cli/queue/offset_target.hpp"
#include "wire/json/value.hpp"
#include "wire/json/writer.hpp"

namespace meridian::cli {
namespace {

using wire::json::Value;
using Labels = std::map<std::string, std::string>;

constexpr std::string_view kNameLabel = "alertname";
constexpr std::string_view kCreator = "meridian";

Result<Value> ReadArray(std::string_view json, std::string_view what) {
  Result<Value> answer = wire::json::Parse(json, kMaxAlertAnswerBytes);
  if (!answer) return Fail(std::move(answer.error()));
  if (!answer->is_array()) return Fail(Errc::kInvalid, "it is no list of {}", what);
  return answer;
}

std::string StateOf(const Value& value) {
  const Value* status = value.Find("status");
  return status == nullptr ? "" : status->TextOf("state");
}

Result<std::string> ReadMatcher(const Value& value, bool* by_name, std::string* name) {
  const Value* regex = value.Find("isRegex");
  const auto is_regex = regex == nullptr ? std::nullopt : regex->boolean();
  const std::string label = OneLine(value.TextOf("name"));
  if (label.empty() || !is_regex || value.Find("value") == nullptr) {
    return Fail(Errc::kInvalid, "a matcher of a silence has no name, value or isRegex");
  }
  // Left out by versions that only know equality.
  const bool is_equal = value.Find("isEqual") == nullptr || value.BooleanOf("isEqual");
  *name = OneLine(value.TextOf("value"));
  *by_name = label == kNameLabel && is_equal && !*is_regex;
  const std::string_view equal = *is_regex ? "=~" : "=";
  const std::string_view unequal = *is_regex ? "!~" : "!=";
  return fmt::format("{}{}\"{}\"", label, is_equal ? equal : unequal, *name);
}

Result<Silence> ReadSilence(const Value& value) {
  Silence silence{.id = OneLine(value.TextOf("id")),
                  .alert = "",
                  .matchers = "",
                  .comment = OneLine(value.TextOf("comment")),
                  .created_by = OneLine(value.TextOf("createdBy"))};
  if (silence.id.empty()) return Fail(Errc::kInvalid, "a silence has no id");
  auto starts = ReadAlertTime(value.TextOf("startsAt"));
  auto ends = ReadAlertTime(value.TextOf("endsAt"));
  if (!starts || !ends) {
    return Fail(Errc::kInvalid, "a silence has no startsAt or endsAt that is a time");
  }
  silence.starts_ms = *starts;
  silence.ends_ms = *ends;
  const auto matchers = value.ElementsOf("matchers");
  if (matchers.empty()) return Fail(Errc::kInvalid, "a silence has no matchers");
  if (matchers.size() > kMaxAlertLabels) {
    return Fail(Errc::kTooLarge, "a silence has more than {} matchers", kMaxAlertLabels);
  }
  for (const Value& each : matchers) {
    bool by_name = false;
    std::string name;
    auto text = ReadMatcher(each, &by_name, &name);
    if (!text) return Fail(std::move(text.error()));
    if (by_name && matchers.size() == 1) silence.alert = name;
    silence.matchers += (silence.matchers.empty() ? "" : ", ") + *text;
  }
  return silence;
}

// What the two programs call the same: Prometheus adds the site, and the data center where an alert
// has none (agent/engines/prometheus_config).
Labels SameLabels(Labels labels) {
  labels.erase("site");
  labels.erase("dc");
  return labels;
}

Result<Labels> ReadLabels(const Value& value) {
  const Value* labels = value.Find("labels");
  if (labels == nullptr || !labels->is_object()) {
    return Fail(Errc::kInvalid, "an alert has no labels");
  }
  if (labels->members().size() > kMaxAlertLabels) {
    return Fail(Errc::kTooLarge, "an alert has more than {} labels", kMaxAlertLabels);
  }
  Labels read;
  for (const auto& [name, text] : labels->members()) {
    read[OneLine(name)] = OneLine(text.text().value_or(""));
  }
  return SameLabels(std::move(read));
}

}  // namespace

Result<std::vector<Silence>> ReadSilences(std::string_view json) {
  Result<Value> answer = ReadArray(json, "silences");
  if (!answer) return Fail(std::move(answer.error()));
  std::vector<Silence> silences;
  for (const Value& each : answer->elements()) {
    const std::string state = StateOf(each);
    if (state == "expired") continue;
    if (state != "active" && state != "pending") {
      return Fail(Errc::kInvalid, "a silence is in no known state");
    }
    if (silences.size() == kMaxSilences) {
      return Fail(Errc::kTooLarge, "it has more than {} silences", kMaxSilences);
    }
    Result<Silence> silence = ReadSilence(each);
    if (!silence) return Fail(std::move(silence.error()));
    silences.push_back(std::move(*silence));
  }
  return silences;
}

Result<void> MarkSilenced(std::string_view json, AlertAnswer* answer) {
  Result<Value> alerts = ReadArray(json, "alerts");
  if (!alerts) return Fail(std::move(alerts.error()));
  std::set<Labels> silenced;
  for (const Value& each : alerts->elements()) {
    Result<Labels> labels = ReadLabels(each);
    if (!labels) return Fail(std::move(labels.error()));
    const Value* status = each.Find("status");
    if (status != nullptr && !status->ElementsOf("silencedBy").empty()) {
      silenced.insert(std::move(*labels));
    }
  }
  for (Alert& alert : answer->alerts) {
    Labels labels = alert.labels;
    labels[std::string(kNameLabel)] = alert.name;
    alert.silenced = silenced.contains(SameLabels(std::move(labels)));
  }
  return {};
}

std::string ToJson(const SilenceOrder& order) {
  wire::json::Writer writer;
  writer.BeginObject();
  writer.BeginArray("matchers");
  writer.BeginObject();
  writer.Member("name", kNameLabel);
  writer.Member("value", order.alert);
  writer.Member("isRegex", false);
  writer.Member("isEqual", true);
  writer.EndObject();
  writer.EndArray();
  writer.Member("startsAt", TimeText(order.starts_ms));
  writer.Member("endsAt", TimeText(order.ends_ms));
  writer.Member("createdBy", kCreator);
  writer.Member("comment", order.comment);
  writer.EndObject();
  return writer.Take();
}

}  // namespace meridian::cli
