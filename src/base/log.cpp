#include "base/log.hpp"

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include <fmt/core.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/log/log_copy.hpp"
#include "base/log_file.hpp"
#include "base/result.hpp"
#include "base/text/utf8.hpp"

namespace meridian {
namespace {

LogOptions& Options() {
  static LogOptions options;
  return options;
}

// Null while the log is written to a descriptor.
std::unique_ptr<LogFile>& File() {
  static std::unique_ptr<LogFile> file;
  return file;
}

std::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kOff:
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

// The date in UTC, `2025-01-31`. (fmt/chrono.h would write it, and costs a second to compile.)
std::string DateText(std::chrono::system_clock::time_point time) {
  std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(time)};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

// The time of day in UTC, `23:59:59`.
std::string TimeOfDayText(std::chrono::system_clock::time_point time) {
  std::chrono::hh_mm_ss of_day{std::chrono::floor<std::chrono::seconds>(time) -
                               std::chrono::floor<std::chrono::days>(time)};
  return fmt::format("{:02}:{:02}:{:02}", of_day.hours().count(), of_day.minutes().count(),
                     of_day.seconds().count());
}

// The fraction of a second in `time`, in units of `Unit`.
template <class Unit>
auto FractionOf(std::chrono::system_clock::time_point time) {
  return std::chrono::floor<Unit>(time - std::chrono::floor<std::chrono::seconds>(time)).count();
}

// Appends `text` escaped for a JSON string: as many whole characters as fit in `most` bytes.
void AppendEscaped(std::string& out, std::string_view text, size_t most) {
  size_t begin = out.size();
  while (!text.empty()) {
    size_t before = out.size();
    char c = text.front();
    size_t length = Utf8Length(text);
    if (length == 0) {
      out += "\xef\xbf\xbd";
      length = 1;
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<uint8_t>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += text.substr(0, length);
    }
    if (out.size() - begin > most) return out.resize(before);
    text.remove_prefix(length);
  }
}

void AppendValue(std::string& out, const LogField& field, bool json) {
  auto append = [&](const auto& value) {
    using Value = std::decay_t<decltype(value)>;
    if constexpr (std::is_same_v<Value, std::string_view>) {
      bool plain = !json && !value.empty() && value.find_first_of(" \"\n\t=") == value.npos;
      plain ? void(out += value) : AppendJsonString(out, value);
    } else if constexpr (std::is_same_v<Value, double>) {
      out += std::isfinite(value) ? fmt::format("{:.6g}", value) : "null";
    } else {
      out += fmt::format("{}", value);
    }
  };
  std::visit(append, field.value);
}

// The end of a truncated JSON line, and the longest line before it.
constexpr std::string_view kTruncatedMark = R"(,"truncated":true)";
constexpr size_t kMaxFieldBytes = kMaxLogLineBytes - kTruncatedMark.size() - 2;
// Space kept free when a text is cut, for the fields after it.
constexpr size_t kAfterCutBytes = 256;

// Shortens `line`, which became too long with `field` at `start`: cuts a text field, removes any
// other field.
void CutLast(std::string& line, size_t start, const LogField& field) {
  line.resize(start);
  const auto* text = std::get_if<std::string_view>(&field.value);
  if (text == nullptr) return;
  std::string head = ",";
  AppendJsonString(head, field.key);
  head += ':';
  size_t around = start + head.size() + 2 + kAfterCutBytes;  // with the quotes
  if (around >= kMaxFieldBytes) return;
  line += head + '"';
  AppendEscaped(line, *text, kMaxFieldBytes - around);
  line += '"';
}

std::string JsonLine(LogLevel level, std::string_view event, std::initializer_list<LogField> fields,
                     const LogOptions& options) {
  auto now = std::chrono::system_clock::now();
  std::string line =
      fmt::format(R"({{"time":"{}T{}.{:06}Z","level":"{}")", DateText(now), TimeOfDayText(now),
                  FractionOf<std::chrono::microseconds>(now), LevelName(level));
  auto add = [&](const LogField& field) {
    line += ',';
    AppendJsonString(line, field.key);
    line += ':';
    AppendValue(line, field, true);
  };
  if (!options.process.empty()) add({"process", options.process});
  if (!options.dc.empty()) add({"dc", options.dc});
  add({"event", event});
  bool truncated = false;
  for (const LogField& field : fields) {
    size_t size = line.size();
    add(field);
    if (line.size() <= kMaxFieldBytes) continue;
    CutLast(line, size, field);
    truncated = true;
  }
  if (truncated) line += kTruncatedMark;
  return line + "}\n";
}

std::string TextLine(LogLevel level, std::string_view event, std::initializer_list<LogField> fields,
                     const LogOptions& options) {
  auto now = std::chrono::system_clock::now();
  std::string line =
      fmt::format("{}.{:03} ", TimeOfDayText(now), FractionOf<std::chrono::milliseconds>(now));
  if (level >= LogLevel::kWarning) line += fmt::format("{}: ", LevelName(level));
  if (!options.dc.empty()) line += options.dc + " ";
  if (!options.process.empty()) line += options.process + ": ";
  line += event;
  for (const LogField& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    AppendValue(line, field, false);
  }
  if (line.size() >= kMaxLogLineBytes) line.resize(kMaxLogLineBytes - 1);
  return line + "\n";
}

}  // namespace

void AppendJsonString(std::string& out, std::string_view text) {
  out += '"';
  AppendEscaped(out, text, std::string::npos);
  out += '"';
}

void ConfigureLog(LogOptions options) {
  File() = nullptr;
  EndLogCopy();
  Result<std::unique_ptr<LogFile>> file = nullptr;
  if (!options.file.path.empty()) file = LogFile::Open(options.file);
  if (options.format == LogFormat::kAutomatic) {
    bool terminal = (!file || *file == nullptr) && isatty(options.fd) == 1;
    options.format = terminal ? LogFormat::kText : LogFormat::kJson;
  }
  Options() = std::move(options);
  if (file) {
    File() = std::move(*file);
  } else {
    LOG_WARNING("the log file cannot be opened", {"problem", file.error().message});
  }
}

bool LogEnabled(LogLevel level) { return level >= Options().min_level; }

void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  const LogOptions& options = Options();
  bool text = options.format == LogFormat::kText;
  std::string line =
      text ? TextLine(level, event, fields, options) : JsonLine(level, event, fields, options);
  // A failed write to the log must not stop the process.
  if (LogFile* copy = CopyOfLog()) {
    (void)copy->Write(text ? JsonLine(level, event, fields, options) : line);
  }
  if (File() != nullptr) return void(File()->Write(line));
  (void)!write(options.fd, line.data(), line.size());
}

}  // namespace meridian
