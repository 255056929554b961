#include "watch/log/lines/line_parser.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/limits.hpp"
#include "watch/log/lines/line_time.hpp"
#include "watch/log/lines/printable.hpp"
#include "wire/json/value.hpp"

namespace meridian::watch {
namespace {

namespace json = wire::json;

constexpr size_t kTraceDigits = 32;

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsHex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// --- JSON

// The members of a valid JSON object as they are written, name and value, without white space
// around them.
std::vector<std::string_view> MemberTexts(std::string_view object) {
  std::vector<std::string_view> members;
  constexpr std::string_view kSpace = " \t\n\r";
  size_t depth = 0;
  size_t begin = 0;
  bool in_text = false;
  for (size_t at = 0; at < object.size(); ++at) {
    char c = object[at];
    if (in_text) {
      if (c == '\\') ++at;
      in_text = c != '"';
    } else if (c == '"') {
      in_text = true;
    } else if (c == '{' || c == '[') {
      if (depth++ == 0) begin = at + 1;
    } else if (c == '}' || c == ']' || c == ',') {
      bool ends = c == ',' ? depth == 1 : --depth == 0;
      if (!ends) continue;
      std::string_view member = object.substr(begin, at - begin);
      size_t first = member.find_first_not_of(kSpace);
      if (first == std::string_view::npos) continue;  // {}
      members.push_back(member.substr(first, member.find_last_not_of(kSpace) + 1 - first));
      begin = at + 1;
    }
  }
  return members;
}

// The members of a JSON line, and which were taken out.
class JsonLine {
 public:
  JsonLine(const json::Value& object, std::string_view text)
      : members_(object.members()), texts_(MemberTexts(text)), taken_(members_.size(), false) {}

  // Whether each member was found in the text: else something of the parser and MemberTexts differ.
  bool whole() const { return texts_.size() == members_.size(); }

  // Calls `use` with the value of each of `names` that is there until it returns true.
  template <class Use>
  std::optional<size_t> First(std::initializer_list<std::string_view> names, Use use) const {
    for (std::string_view name : names) {
      for (size_t i = 0; i < members_.size(); ++i) {
        if (members_[i].name == name && use(members_[i].value)) return i;
      }
    }
    return std::nullopt;
  }
  void Take(std::optional<size_t> member) {
    if (member) taken_[*member] = true;
  }
  std::string Rest() const {
    std::string rest;
    for (size_t i = 0; i < texts_.size(); ++i) {
      if (taken_[i]) continue;
      rest += rest.empty() ? '{' : ',';
      rest += texts_[i];
    }
    if (!rest.empty()) rest += '}';
    return rest;
  }

 private:
  std::span<const json::Member> members_;
  std::vector<std::string_view> texts_;
  std::vector<bool> taken_;
};

bool TakeTime(const json::Value& value, LogTime arrival, LogLine* line) {
  std::optional<LogTime> time;
  if (value.text()) {
    time = ParseLineTime(*value.text());
  } else if (value.number()) {
    time = TimeOfNumber(*value.number());
  }
  if (time && IsBelieved(*time, arrival)) line->time = time;
  return line->time.has_value();
}

bool TakeSeverity(const json::Value& value, LogLine* line) {
  if (value.text()) {
    line->severity = ParseSeverity(*value.text());
  } else if (value.whole_number()) {
    line->severity = ParseSeverity(std::to_string(*value.whole_number()));
  }
  return line->severity != Severity::kUnknown;
}

bool IsTraceId(std::string_view text) {
  return text.size() >= 8 && text.size() <= kMaxTraceIdBytes &&
         std::ranges::all_of(text, [](char c) { return IsHex(c) || c == '-'; });
}

// `00-TRACE-PARENT-FLAGS` (W3C Trace Context), or a trace id by itself.
bool TakeTrace(const json::Value& value, LogLine* line) {
  std::string_view text = value.text().value_or("");
  bool is_traceparent = text.size() == 55 && text[2] == '-' && text[35] == '-';
  if (is_traceparent) text = text.substr(3, kTraceDigits);
  if (IsTraceId(text)) line->trace_id = text;
  return !line->trace_id.empty();
}

std::optional<LogLine> ParseJson(std::string_view text, LogTime arrival) {
  Result<json::Value> object = json::Parse(text, kMaxEntryBytes);
  if (!object || !object->is_object() || object->members().empty()) return std::nullopt;
  JsonLine members(*object, text);
  if (!members.whole()) return std::nullopt;
  LogLine line;
  members.Take(members.First({"time", "timestamp", "ts", "@timestamp", "t"},
                             [&](const auto& value) { return TakeTime(value, arrival, &line); }));
  members.Take(members.First({"level", "severity", "lvl", "loglevel", "log.level"},
                             [&](const auto& value) { return TakeSeverity(value, &line); }));
  members.Take(members.First({"message", "msg", "event"}, [&](const auto& value) {
    if (!value.text()) return false;
    AppendPrintable(line.text, *value.text(), &line.marks);
    return true;
  }));
  members.First({"trace_id", "traceId", "traceid", "trace.id", "traceparent"},
                [&](const auto& value) { return TakeTrace(value, &line); });
  line.fields = members.Rest();
  return line;
}

// --- Plain text

// A level that is marked as one: in brackets, after `level=`, in capitals, or as the first word
// before a colon.
bool IsMarkedAsLevel(std::string_view text, size_t begin, size_t end) {
  char before = begin > 0 ? text[begin - 1] : ' ';
  char after = end < text.size() ? text[end] : ' ';
  if ((before == '[' && after == ']') || (before == '<' && after == '>')) return true;
  if (begin == 0 && after == ':') return true;
  size_t name_end = before == '"' && begin > 1 ? begin - 2 : begin - 1;
  if (begin > 0 && name_end < text.size() && text[name_end] == '=') {
    std::string_view name = text.substr(0, name_end);
    return name.ends_with("level") || name.ends_with("lvl") || name.ends_with("severity");
  }
  bool is_word = before != '_' && before != '-' && before != '.' && after != '_' && after != '-' &&
                 after != '.';
  return is_word && std::ranges::all_of(text.substr(begin, end - begin), IsUpper);
}

Severity FindSeverity(std::string_view text) {
  constexpr std::array<std::string_view, 4> kErrors = {
      "Traceback (most recent call last)", "goroutine ", "terminate called", "Exception in thread"};
  if (std::ranges::any_of(kErrors, [&](auto front) { return text.starts_with(front); })) {
    return Severity::kError;
  }
  text = text.substr(0, std::min(text.find('\n'), kExaminedBytes));
  for (size_t at = 0; at < text.size();) {
    if (!IsLetter(text[at])) {
      ++at;
      continue;
    }
    size_t begin = at;
    while (at < text.size() && IsLetter(text[at])) ++at;
    Severity severity = ParseSeverity(text.substr(begin, at - begin));
    if (severity != Severity::kUnknown && IsMarkedAsLevel(text, begin, at)) return severity;
  }
  return Severity::kUnknown;
}

// Of `trace_id=…`, `traceId: "…"`, `traceparent=00-…-…-01`: 32 hexadecimal digits.
std::string FindTrace(std::string_view text) {
  text = text.substr(0, std::min(text.find('\n'), kExaminedBytes));
  for (size_t at = text.find("trace"); at != std::string_view::npos;
       at = text.find("trace", at + 1)) {
    std::string_view rest = text.substr(at + std::string_view("trace").size());
    size_t name_bytes = std::min(rest.find_first_of("=:"), rest.size());
    constexpr size_t kMaxNameBytes = 8;  // "parent", "_id", "-id\""
    if (name_bytes > kMaxNameBytes) continue;
    rest.remove_prefix(name_bytes);
    rest.remove_prefix(std::min(rest.find_first_not_of("=: \"'"), rest.size()));
    if (rest.starts_with("00-")) rest.remove_prefix(3);
    const auto* end = std::ranges::find_if_not(rest, IsHex);
    if (static_cast<size_t>(end - rest.begin()) == kTraceDigits)
      return std::string(rest.substr(0, kTraceDigits));
  }
  return {};
}

}  // namespace

bool LooksLikeJson(std::string_view line) { return line.starts_with('{'); }

LogLine ParseLine(std::string_view text, LogTime arrival) {
  if (LooksLikeJson(text)) {
    if (std::optional<LogLine> line = ParseJson(text, arrival)) return *std::move(line);
  }
  LogLine line;
  if (std::optional<LogTime> time = ParseLineTime(text); time && IsBelieved(*time, arrival)) {
    line.time = time;
  }
  line.severity = FindSeverity(text);
  line.trace_id = FindTrace(text);
  line.text = text;
  return line;
}

}  // namespace meridian::watch
