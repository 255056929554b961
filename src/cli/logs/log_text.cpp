#include "cli/logs/log_text.hpp"

#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "base/result.hpp"
#include "cli/queue/offset_target.hpp"
#include "watch/log/entry.hpp"
#include "wire/json/value.hpp"
#include "wire/json/writer.hpp"

namespace meridian::cli {
namespace {

using watch::EntryMark;
using watch::LogEntry;
using watch::Severity;

constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kRed = "\x1b[31m";
constexpr std::string_view kYellow = "\x1b[33m";
constexpr std::string_view kPlain = "\x1b[0m";

constexpr std::array<std::pair<EntryMark, std::string_view>, 6> kMarks = {
    {{EntryMark::kCut, "cut"},
     {EntryMark::kEscaped, "escaped"},
     {EntryMark::kColours, "colours_removed"},
     {EntryMark::kPartial, "partial"},
     {EntryMark::kJoined, "joined"},
     {EntryMark::kDropped, "dropped"}}};

std::string_view LevelName(Severity severity) {
  switch (severity) {
    case Severity::kUnknown:
      return "-";
    case Severity::kTrace:
      return "trace";
    case Severity::kDebug:
      return "debug";
    case Severity::kInfo:
      return "info";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      return "error";
    case Severity::kFatal:
      return "fatal";
  }
  return "-";
}

std::string_view ColourOf(Severity severity) {
  if (severity >= Severity::kError) return kRed;
  return severity == Severity::kWarning ? kYellow : "";
}

std::string Milliseconds(watch::LogTime time) {
  return TimeText(std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count());
}

// "…:00.123456Z"
std::string Microseconds(watch::LogTime time) {
  std::string text = Milliseconds(time);
  if (!text.ends_with('Z')) return text;
  text.pop_back();
  const auto rest = time - std::chrono::floor<std::chrono::milliseconds>(time);
  return text + fmt::format("{:03}Z", rest.count());
}

std::string SourceOf(const watch::LogOrigin& origin) {
  if (origin.instance.empty()) return origin.tier.empty() ? "-" : origin.tier;
  return origin.tier + "/" + origin.instance;
}

// The text, with further lines below its first.
std::string Indented(std::string_view text) {
  std::string indented;
  for (char each : text) {
    indented += each;
    if (each == '\n') indented += "    ";
  }
  return indented;
}

}  // namespace

std::string LogLineText(const LogEntry& entry, bool colours) {
  const std::string_view colour = colours ? ColourOf(entry.severity) : "";
  std::string line =
      fmt::format("{}{}{} {} {} {}{:<7}{} {}", colours ? kDim : "", Milliseconds(entry.time),
                  colours ? kPlain : "", entry.origin.dc.empty() ? "-" : entry.origin.dc,
                  SourceOf(entry.origin), colour, LevelName(entry.severity),
                  colour.empty() ? "" : kPlain, Indented(entry.text));
  if (!entry.fields.empty()) {
    line +=
        fmt::format(" {}{}{}", colours ? kDim : "", Indented(entry.fields), colours ? kPlain : "");
  }
  line += '\n';
  return line;
}

std::string LogLineJson(const LogEntry& entry) {
  wire::json::Writer writer;
  writer.BeginObject();
  writer.Member("time", Microseconds(entry.time));
  if (entry.arrival != entry.time) writer.Member("arrival", Microseconds(entry.arrival));
  const watch::LogOrigin& origin = entry.origin;
  for (const auto& [name, value] :
       {std::pair("dc", &origin.dc), std::pair("host", &origin.host),
        std::pair("tier", &origin.tier), std::pair("name", &origin.name),
        std::pair("instance", &origin.instance), std::pair("release", &origin.release)}) {
    if (!value->empty()) writer.Member(name, *value);
  }
  if (entry.severity != Severity::kUnknown) writer.Member("level", LevelName(entry.severity));
  if (!entry.trace_id.empty()) writer.Member("trace", entry.trace_id);
  if (entry.marks.bits() != 0) {
    writer.BeginArray("marks");
    for (const auto& [mark, name] : kMarks) {
      if (entry.marks.Has(mark)) writer.Element(name);
    }
    writer.EndArray();
  }
  writer.Member("text", entry.text);
  if (!entry.fields.empty()) {
    Result<wire::json::Value> fields = wire::json::Parse(entry.fields);
    if (fields) writer.Member("fields", *fields);
    if (!fields) writer.Member("fields", entry.fields);
  }
  writer.EndObject();
  return writer.Take() + "\n";
}

}  // namespace meridian::cli
