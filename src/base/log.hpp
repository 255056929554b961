// Structured logging: one event per line. In a file or a pipe each line is a JSON object; on a
// terminal it is readable text. Each line is one write(2), so processes may share a file.
//
//   LOG_INFO("instance ready", {"instance", id}, {"port", port});
//   {"time":"2026-11-21T01:22:18.123456Z","level":"info","process":"balancer","dc":"us-east","event":"instance
//    ready","instance":"us-east-1","port":3001}
//
// Any thread. Never log a secret: values are written unchanged. A line has at most kMaxLogLineBytes
// bytes: a text that does not fit is cut, later fields may be left out, and the line then ends with
// `"truncated":true`.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "base/log_file.hpp"

namespace meridian {

// kOff is only for LogOptions::min_level.
enum class LogLevel : uint8_t { kDebug, kInfo, kWarning, kError, kOff };

constexpr size_t kMaxLogLineBytes = 8192;

struct LogField {
  std::string_view key;
  std::variant<int64_t, uint64_t, double, bool, std::string_view> value;

  LogField(std::string_view name, std::string_view text) : key(name), value(text) {}
  LogField(std::string_view name, const std::string& text)
      : key(name), value(std::string_view(text)) {}
  LogField(std::string_view name, const char* text) : key(name), value(std::string_view(text)) {}
  LogField(std::string_view name, bool flag) : key(name), value(flag) {}
  LogField(std::string_view name, double number) : key(name), value(number) {}
  template <class Int>
    requires std::is_integral_v<Int>
  LogField(std::string_view name, Int number) : key(name) {
    if constexpr (std::is_signed_v<Int>) {
      value = static_cast<int64_t>(number);
    } else {
      value = static_cast<uint64_t>(number);
    }
  }
};

enum class LogFormat : uint8_t { kAutomatic, kJson, kText };

struct LogOptions {
  int fd = 2;
  LogFileOptions file = {};  // instead of `fd`, unless its path is empty
  LogLevel min_level = LogLevel::kInfo;
  LogFormat format = LogFormat::kAutomatic;  // text on a terminal, else JSON
  std::string process;                       // the tier's name, on every line
  std::string dc;                            // the data center's name, may be empty
};

// Call once, before threads start. Without it, and when the log file cannot be opened, the log of
// level info and above goes to standard error.
void ConfigureLog(LogOptions options);

void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields);
bool LogEnabled(LogLevel level);

// Appends `text` as a JSON string with its quotes. Invalid UTF-8 becomes U+FFFD.
void AppendJsonString(std::string& out, std::string_view text);

}  // namespace meridian

#define MERIDIAN_LOG(level, event, ...)                                              \
  do {                                                                               \
    if (::meridian::LogEnabled(level)) ::meridian::Log(level, event, {__VA_ARGS__}); \
  } while (false)
#define LOG_DEBUG(event, ...) MERIDIAN_LOG(::meridian::LogLevel::kDebug, event, __VA_ARGS__)
#define LOG_INFO(event, ...) MERIDIAN_LOG(::meridian::LogLevel::kInfo, event, __VA_ARGS__)
#define LOG_WARNING(event, ...) MERIDIAN_LOG(::meridian::LogLevel::kWarning, event, __VA_ARGS__)
#define LOG_ERROR(event, ...) MERIDIAN_LOG(::meridian::LogLevel::kError, event, __VA_ARGS__)
