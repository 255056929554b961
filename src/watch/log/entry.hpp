// LogEntry: one event of a log, as it is stored and found. Plain data; any thread.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace meridian::watch {

// Microseconds since the Unix epoch, UTC: the resolution of stored times.
using LogTime = std::chrono::sys_time<std::chrono::microseconds>;

inline LogTime ToLogTime(WallTime time) {
  return std::chrono::floor<std::chrono::microseconds>(time);
}

// kUnknown: the line does not say; a filter takes it for kInfo.
enum class Severity : uint8_t { kUnknown, kTrace, kDebug, kInfo, kWarning, kError, kFatal };
constexpr uint8_t kMaxSeverity = static_cast<uint8_t>(Severity::kFatal);

// The common names of levels, in any case ("WARN", "err", "notice", "panic"), and the numbers of
// pino and bunyan ("30"). kUnknown for any other text.
Severity ParseSeverity(std::string_view text);
// Whether a filter of `at_least` lets `severity` pass.
bool IsAtLeast(Severity severity, Severity at_least);

// Where entries come from. A name has at most kMaxOriginFieldBytes and may be empty.
struct LogOrigin {
  std::string dc;
  std::string host;
  std::string tier;      // the tier, or "app" or "worker"
  std::string name;      // of the application's or worker's process in site.toml
  std::string instance;  // "us-east-1"
  std::string release;

  auto operator<=>(const LogOrigin&) const = default;
};

// What was changed in the text of an entry, or is missing. A set of bits.
enum class EntryMark : uint8_t {
  kCut = 1,       // a line was longer than kMaxLineBytes; the text says how many bytes are missing
  kEscaped = 2,   // bytes that cannot be printed are written as \xNN
  kColours = 4,   // terminal sequences were removed
  kPartial = 8,   // ends without the end of its line
  kJoined = 16,   // has several lines
  kDropped = 32,  // stands for entries that were dropped; the text says how many
};

// The marks above, and one bit that no version uses yet.
constexpr uint8_t kAllEntryMarks = 0x7f;

class EntryMarks {
 public:
  EntryMarks() = default;
  explicit EntryMarks(uint8_t bits) : bits_(bits) {}

  void Set(EntryMark mark) { bits_ |= static_cast<uint8_t>(mark); }
  bool Has(EntryMark mark) const { return (bits_ & static_cast<uint8_t>(mark)) != 0; }
  uint8_t bits() const { return bits_; }
  bool operator==(const EntryMarks&) const = default;

 private:
  uint8_t bits_ = 0;
};

// What a line says. The text has no control bytes but newline and tab, and is UTF-8.
struct LogLine {
  std::optional<LogTime> time;  // nothing: the line has no time, or one that is not believed
  Severity severity = Severity::kUnknown;
  EntryMarks marks;
  std::string trace_id;  // at most kMaxTraceIdBytes; empty: none
  std::string text;      // the message of a JSON line, or the whole line
  std::string fields;    // what else a JSON line has, as a JSON object; or empty

  bool operator==(const LogLine&) const = default;
};

struct LogEntry {
  LogOrigin origin;
  LogTime time;     // the line's own time, or else its arrival
  LogTime arrival;  // when its first byte was read
  // Its place in the order in which this store took entries: the number of its segment in the upper
  // 32 bits, the number of its line in the lower ones. Never used twice, also after a crash.
  uint64_t sequence = 0;
  Severity severity = Severity::kUnknown;
  EntryMarks marks;
  std::string trace_id;
  std::string text;
  std::string fields;

  bool operator==(const LogEntry&) const = default;
};

}  // namespace meridian::watch
