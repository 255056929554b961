#include "cli/alerts/alert_text.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>
#include <fmt/format.h>

#include "base/clock.hpp"
#include "cli/alerts/alert_answer.hpp"
#include "cli/alerts/alert_list.hpp"
#include "cli/queue/offset_target.hpp"
#include "wire/json/writer.hpp"

namespace meridian::cli {
namespace {

constexpr size_t kIndent = 2;
constexpr std::string_view kRed = "\x1b[31m";
constexpr std::string_view kYellow = "\x1b[33m";
constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kPlain = "\x1b[0m";

// "5s", "12m", "3h 5m", "4d 2h".
std::string AgeText(int64_t seconds) {
  constexpr int64_t kMinute = 60;
  constexpr int64_t kHour = 60 * kMinute;
  constexpr int64_t kDay = 24 * kHour;
  // Its clock may lead ours.
  seconds = std::max<int64_t>(seconds, 0);
  if (seconds < kMinute) return fmt::format("{}s", seconds);
  if (seconds < kHour) return fmt::format("{}m", seconds / kMinute);
  if (seconds < kDay) return fmt::format("{}h {}m", seconds / kHour, seconds % kHour / kMinute);
  return fmt::format("{}d {}h", seconds / kDay, seconds % kDay / kHour);
}

std::string StateText(const Alert& alert, bool colours) {
  const std::string text =
      fmt::format("{} {}", alert.firing ? "firing " : "pending",
                  alert.LabelOf("severity").empty() ? "-" : alert.LabelOf("severity"));
  if (!colours) return fmt::format("{:<14}", text);
  const bool urgent = alert.firing && alert.LabelOf("severity") == "page";
  const std::string_view colour = urgent ? kRed : alert.firing ? kYellow : kDim;
  return fmt::format("{}{:<14}{}", colour, text, kPlain);
}

std::string TextOf(const ListedAlert& listed, const AlertTextOptions& options) {
  const Alert& alert = listed.alert;
  const int64_t now_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(options.now.time_since_epoch()).count();
  std::string text = fmt::format(
      "{}  {}  {}, for {} (since {}){}\n", StateText(alert, options.colours), alert.name,
      fmt::join(listed.seen_by, ", "), AgeText((now_ms - alert.since_ms) / 1000),
      TimeText(alert.since_ms), alert.silenced ? ", silenced" : "");
  const std::string summary = alert.AnnotationOf("summary");
  const std::string description = alert.AnnotationOf("description");
  const std::string runbook = alert.AnnotationOf("runbook");
  if (!summary.empty()) text += "    " + summary + "\n";
  if (!description.empty()) text += "    " + description + "\n";
  if (!runbook.empty()) text += "    See " + runbook + "\n";
  return text;
}

}  // namespace

std::string AlertText(const AlertList& list, const AlertTextOptions& options) {
  const std::vector<ListedAlert> sorted = list.Sorted();
  std::string text;
  for (const ListedAlert& each : sorted) {
    if (!text.empty()) text += "\n";
    text += TextOf(each, options);
  }
  if (!sorted.empty() || options.asked.empty()) return text;
  return fmt::format("No alert fires or is pending in {}.\n", fmt::join(options.asked, ", "));
}

void AppendGaps(wire::json::Writer& writer, const std::vector<AlertGap>& gaps) {
  writer.BeginArray("missing");
  for (const AlertGap& gap : gaps) {
    writer.BeginObject();
    writer.Member("datacenter", gap.data_center);
    writer.Member("problem", gap.problem);
    writer.EndObject();
  }
  writer.EndArray();
}

std::string AlertJson(const AlertList& list) {
  wire::json::Writer writer({.indent = kIndent});
  writer.BeginObject();
  writer.BeginArray("alerts");
  for (const ListedAlert& each : list.Sorted()) {
    const Alert& alert = each.alert;
    writer.BeginObject();
    writer.Member("name", alert.name);
    writer.Member("state", alert.firing ? "firing" : "pending");
    writer.Member("severity", alert.LabelOf("severity"));
    writer.Member("scope", alert.LabelOf("scope"));
    writer.Member("since", TimeText(alert.since_ms));
    writer.Member("silenced", alert.silenced);
    writer.BeginArray("datacenters");
    for (const std::string& name : each.seen_by) writer.Element(name);
    writer.EndArray();
    for (const char* name : {"summary", "description", "runbook"}) {
      writer.Member(name, alert.AnnotationOf(name));
    }
    writer.BeginObject("labels");
    for (const auto& [name, value] : alert.labels) writer.Member(name, value);
    writer.EndObject();
    writer.EndObject();
  }
  writer.EndArray();
  AppendGaps(writer, list.gaps());
  writer.EndObject();
  return writer.Take() + "\n";
}

}  // namespace meridian::cli
