#include "watch/own_lines/own_line.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "watch/log/entry.hpp"
#include "watch/log/lines/line_time.hpp"

namespace meridian::watch {
namespace {

constexpr std::string_view kTimeFront = R"({"time":")";
// Of Prometheus and Alertmanager, in versions of different age.
constexpr std::array<std::string_view, 2> kEngineTimeFronts = {"ts=", "time="};

// Takes `"NAME":"VALUE"` from the front of `*rest`. The value has no escaped characters: those of
// names of processes and data centers need none.
std::optional<std::string_view> TakeMember(std::string_view name, std::string_view* rest) {
  std::string_view text = *rest;
  if (!text.starts_with('"')) return std::nullopt;
  text.remove_prefix(1);
  if (!text.starts_with(name)) return std::nullopt;
  text.remove_prefix(name.size());
  if (!text.starts_with(R"(":")")) return std::nullopt;
  text.remove_prefix(3);
  const size_t end = text.find('"');
  if (end == std::string_view::npos || text.substr(0, end).contains('\\')) return std::nullopt;
  std::string_view value = text.substr(0, end);
  text.remove_prefix(end + 1);
  if (text.starts_with(',')) text.remove_prefix(1);
  *rest = text;
  return value;
}

}  // namespace

bool IsApplicationOutput(std::string_view line) {
  // Before the event are time, level, process and data center alone, none of them the
  // application's.
  constexpr std::string_view kEvent = R"("event":")";
  if (!line.starts_with(kTimeFront)) return false;
  const size_t at = line.find(kEvent);
  return at != std::string_view::npos && line.substr(at + kEvent.size()).starts_with(R"(output",)");
}

std::optional<LogTime> OwnLineTime(std::string_view line) {
  if (line.starts_with(kTimeFront)) return ParseLineTime(line.substr(kTimeFront.size()));
  for (std::string_view front : kEngineTimeFronts) {
    if (line.starts_with(front)) return ParseLineTime(line.substr(front.size()));
  }
  return std::nullopt;
}

std::string TakeProcess(std::span<const std::string> processes, std::string* fields) {
  std::string_view rest = *fields;
  if (!rest.starts_with('{')) return {};
  rest.remove_prefix(1);
  std::optional<std::string_view> process = TakeMember("process", &rest);
  if (!process || std::ranges::find(processes, *process) == processes.end()) return {};
  (void)TakeMember("dc", &rest);
  std::string name(*process);
  *fields = rest == "}" ? std::string() : "{" + std::string(rest);
  return name;
}

}  // namespace meridian::watch
