#include "cli/queue/offset_target.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "site/load/duration_text.hpp"

namespace meridian::cli {
namespace {

using std::chrono::milliseconds;

bool IsDigits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char letter) {
    return std::isdigit(static_cast<unsigned char>(letter)) != 0;
  });
}

// Whether the text has digits where the pattern has a 0, and else the same letters.
bool Matches(std::string_view text, std::string_view pattern) {
  if (text.size() != pattern.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    bool fits = pattern[i] == '0' ? IsDigits(text.substr(i, 1)) : text[i] == pattern[i];
    if (!fits) return false;
  }
  return true;
}

int NumberIn(std::string_view digits) {
  int value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

// "10:00", "10:00:00", "10:00:00.000".
std::optional<milliseconds> ParseTimeOfDay(std::string_view text) {
  constexpr int kHours = 24;
  constexpr int kSixty = 60;
  bool has_seconds = Matches(text, "00:00:00") || Matches(text, "00:00:00.000");
  if (!has_seconds && !Matches(text, "00:00")) return std::nullopt;
  const int hours = NumberIn(text.substr(0, 2));
  const int minutes = NumberIn(text.substr(3, 2));
  const int seconds = has_seconds ? NumberIn(text.substr(6, 2)) : 0;
  const int ms = text.size() > 9 ? NumberIn(text.substr(9)) : 0;
  if (hours >= kHours || minutes >= kSixty || seconds >= kSixty) return std::nullopt;
  return std::chrono::hours{hours} + std::chrono::minutes{minutes} + std::chrono::seconds{seconds} +
         milliseconds{ms};
}

}  // namespace

Result<int64_t> ParseTime(std::string_view text) {
  const auto bad = [text] {
    return Fail(Errc::kInvalid, "\"{}\" is not a time such as 2026-11-30T10:00:00Z", text);
  };
  constexpr std::string_view kDate = "0000-00-00";
  const std::string_view day = text.substr(0, kDate.size());
  std::string_view clock = text.substr(day.size());
  if (!Matches(day, kDate)) return bad();
  const std::chrono::year_month_day date{
      std::chrono::year{NumberIn(day.substr(0, 4))},
      std::chrono::month{static_cast<unsigned>(NumberIn(day.substr(5, 2)))},
      std::chrono::day{static_cast<unsigned>(NumberIn(day.substr(8, 2)))}};
  if (!date.ok()) return bad();
  std::optional<milliseconds> time = milliseconds{0};
  if (!clock.empty()) {
    if (clock.ends_with('Z')) clock.remove_suffix(1);
    time = clock.starts_with('T') ? ParseTimeOfDay(clock.substr(1)) : std::nullopt;
  }
  if (!time) return bad();
  const int64_t ms = (std::chrono::sys_days{date} + *time).time_since_epoch().count();
  if (ms < 0) return bad();
  return ms;
}

std::string TimeText(int64_t ms) {
  constexpr int64_t kEndOfYear9999 = 253'402'300'799'999;
  if (ms < 0 || ms > kEndOfYear9999) return "-";
  const std::chrono::sys_time<milliseconds> time{milliseconds{ms}};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

Result<OffsetTarget> ParseOffsetTarget(std::string_view text, WallTime now) {
  using enum OffsetTarget::Kind;
  if (text == "beginning" || text == "earliest") return OffsetTarget{.kind = kBeginning};
  if (text == "end" || text == "latest") return OffsetTarget{.kind = kEnd};
  if (IsDigits(text)) {
    int64_t offset = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), offset);
    if (error == std::errc{}) return OffsetTarget{.kind = kOffset, .number = offset};
  }
  if (Result<Duration> ago = site::ParseDuration(text)) {
    const auto ms = std::chrono::floor<milliseconds>(now - *ago).time_since_epoch().count();
    return OffsetTarget{.kind = kTime, .number = std::max<int64_t>(ms, 0)};
  }
  if (Result<int64_t> time = ParseTime(text)) return OffsetTarget{.kind = kTime, .number = *time};
  return Fail(Errc::kInvalid,
              "\"{}\" is none of earliest, latest, an offset such as 42, a time such as "
              "2026-11-30T10:00:00Z, and how long ago, such as 15m",
              text);
}

}  // namespace meridian::cli
