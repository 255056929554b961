#include "watch/log/lines/line_time.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "watch/log/entry.hpp"
#include "watch/log/limits.hpp"

namespace meridian::watch {
namespace {

using std::chrono::microseconds;

// Takes parts of a time from the front of a text. After a part that is not there, ok() is false.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : text_(text) {}

  bool ok() const { return ok_; }

  int Number(size_t digits) {
    int number = 0;
    if (text_.size() < digits) ok_ = false;
    for (size_t i = 0; ok_ && i < digits; ++i) {
      ok_ = IsDigit(text_[i]);
      number = number * 10 + (text_[i] - '0');
    }
    if (ok_) text_.remove_prefix(digits);
    return ok_ ? number : 0;
  }
  // One of `allowed`; 0: it is not there.
  char Sign(std::string_view allowed) {
    char sign = Optional(allowed);
    if (sign == 0) ok_ = false;
    return sign;
  }
  char Optional(std::string_view allowed) {
    if (!ok_ || text_.empty() || !allowed.contains(text_[0])) return 0;
    char sign = text_[0];
    text_.remove_prefix(1);
    return sign;
  }
  microseconds Fraction() {
    int64_t value = 0;
    int64_t unit = 100'000;
    if (text_.empty() || !IsDigit(text_[0])) ok_ = false;
    for (; !text_.empty() && IsDigit(text_[0]); text_.remove_prefix(1), unit /= 10) {
      value += unit * (text_[0] - '0');
    }
    return microseconds(value);
  }
  // Z, +01:00, +0100, also after a space; nothing is UTC.
  std::chrono::minutes Offset() {
    TimeReader before = *this;
    Optional(" ");
    char sign = Optional("+-");
    if (sign == 0) return {};
    std::chrono::minutes offset{Number(2) * 60};
    Optional(":");
    offset += std::chrono::minutes{Number(2)};
    if (!ok_) {  // "- 12 requests": no offset
      *this = before;
      return {};
    }
    return sign == '-' ? -offset : offset;
  }

 private:
  static bool IsDigit(char c) { return c >= '0' && c <= '9'; }

  std::string_view text_;
  bool ok_ = true;
};

}  // namespace

std::optional<LogTime> ParseLineTime(std::string_view text) {
  TimeReader reader(text);
  reader.Optional("[");
  std::chrono::year year{reader.Number(4)};
  char separator = reader.Sign("-/");
  std::chrono::month month{static_cast<unsigned>(reader.Number(2))};
  if (reader.Sign("-/") != separator) return std::nullopt;
  std::chrono::day day{static_cast<unsigned>(reader.Number(2))};
  reader.Sign("Tt ");
  int hour = reader.Number(2);
  reader.Sign(":");
  int minute = reader.Number(2);
  reader.Sign(":");
  int second = reader.Number(2);
  microseconds fraction{};
  if (reader.ok() && reader.Optional(".,") != 0) fraction = reader.Fraction();
  std::chrono::minutes offset = reader.Offset();
  std::chrono::year_month_day date{year, month, day};
  if (!reader.ok() || !date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours{hour} + std::chrono::minutes{minute} +
         std::chrono::seconds{second} + fraction - offset;
}

std::optional<LogTime> TimeOfNumber(double number) {
  constexpr double kMin = 1e8;   // seconds: 1973
  constexpr double kMax = 1e10;  // seconds: 2286
  for (double unit : {1e6, 1e3, 1.0, 1e-3}) {
    double seconds = number * unit / 1e6;
    if (seconds >= kMin && seconds < kMax) {
      return LogTime(microseconds(static_cast<int64_t>(number * unit)));
    }
  }
  return std::nullopt;
}

bool IsBelieved(LogTime time, LogTime arrival) {
  // In microseconds: the nanoseconds of a limit would overflow for a time far away.
  constexpr auto kBehind = std::chrono::duration_cast<microseconds>(kMaxTimeBehind);
  constexpr auto kAhead = std::chrono::duration_cast<microseconds>(kMaxTimeAhead);
  return time >= arrival - kBehind && time <= arrival + kAhead;
}

}  // namespace meridian::watch
