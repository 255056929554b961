// Any bytes as a Prometheus's answer about its alerts, and as an Alertmanager's about alerts and
// silences. What is read can be shown in a terminal, each on one line, and the list of two data
// centers' answers as JSON.
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/clock.hpp"
#include "cli/alerts/alert_answer.hpp"
#include "cli/alerts/alert_list.hpp"
#include "cli/alerts/alert_text.hpp"
#include "cli/alerts/limits.hpp"
#include "cli/alerts/silence_answer.hpp"
#include "cli/alerts/silence_text.hpp"
#include "watch/log/lines/printable.hpp"
#include "wire/json/value.hpp"

namespace meridian::cli {
namespace {

void CheckLine(std::string_view text) {
  // Four characters for each byte, and those that say that it was cut.
  CHECK(text.size() <= (kMaxAlertTextBytes * 4) + 3);
  CHECK(watch::IsPrintable(text) && !text.contains('\n'));
}

void CheckTexts(const std::map<std::string, std::string>& texts) {
  for (const auto& [name, value] : texts) {
    CheckLine(name);
    CheckLine(value);
  }
}

void CheckAnswer(std::string_view json) {
  auto answer = ReadAlertAnswer(json);
  if (!answer) {
    CHECK(!answer.error().message.empty());
    return;
  }
  CHECK(answer->alerts.size() <= kMaxAlertsOfDataCenter);
  for (const Alert& alert : answer->alerts) {
    CHECK(!alert.name.empty() && alert.labels.size() <= kMaxAlertLabels);
    CheckLine(alert.name);
    CheckTexts(alert.labels);
    CheckTexts(alert.annotations);
  }
  AlertList list;
  list.Add("us-east", *answer);
  list.Add("us-west", *answer);
  CHECK(list.Sorted().size() <= 2 * answer->alerts.size());
  CHECK(watch::IsPrintable(AlertText(list, {.now = WallTime{}})));
  CHECK(wire::json::Parse(AlertJson(list), SIZE_MAX));
}

void CheckSilences(std::string_view json) {
  auto silences = ReadSilences(json);
  if (silences) {
    CHECK(silences->size() <= kMaxSilences);
    for (const Silence& each : *silences) CHECK(!each.id.empty() && !each.matchers.empty());
    const std::vector<DataCenterSilences> all = {{.data_center = "eu", .silences = *silences}};
    CHECK(watch::IsPrintable(SilencesText(all)));
    CHECK(wire::json::Parse(SilencesJson(all, {}), SIZE_MAX));
  }
  AlertAnswer answer{.alerts = {{.name = "A"}}};
  CHECK(MarkSilenced(json, &answer).has_value() || !answer.alerts[0].silenced);
}

}  // namespace
}  // namespace meridian::cli

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  meridian::cli::CheckAnswer(meridian::AsText({data, size}));
  meridian::cli::CheckSilences(meridian::AsText({data, size}));
  return 0;
}
