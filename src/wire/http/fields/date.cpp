#include "wire/http/fields/date.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "wire/http/characters.hpp"

namespace meridian::wire::http {
namespace {

namespace chrono = std::chrono;

constexpr std::string_view kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::string_view kLongDays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                          "Thursday", "Friday", "Saturday"};
constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr int kFutureYears = 50;
// WallTime holds nanoseconds in 64 bits: from 1677 to 2262.
constexpr int kFirstYear = 1678;
constexpr int kLastYear = 2261;

void PutDigits(char* at, int width, int value) {
  for (int i = width - 1; i >= 0; --i, value /= 10) at[i] = static_cast<char>('0' + value % 10);
}

// Reads a date from left to right. After a mismatch ok() stays false.
class DateScanner {
 public:
  explicit DateScanner(std::string_view text) : rest_(text) {}

  bool ok() const { return ok_ && rest_.empty(); }

  void Literal(std::string_view text) {
    ok_ = ok_ && Begins(text);
    if (ok_) rest_.remove_prefix(text.size());
  }
  int Digits(size_t width) {
    ok_ =
        ok_ && rest_.size() >= width && std::all_of(rest_.begin(), rest_.begin() + width, IsDigit);
    int value = 0;
    if (!ok_) return value;
    for (char c : rest_.substr(0, width)) value = value * 10 + (c - '0');
    rest_.remove_prefix(width);
    return value;
  }
  // The index of the next name.
  template <size_t kCount>
  unsigned Name(const std::string_view (&names)[kCount]) {
    for (unsigned i = 0; ok_ && i < kCount; ++i) {
      if (!Begins(names[i])) continue;
      rest_.remove_prefix(names[i].size());
      return i;
    }
    ok_ = false;
    return 0;
  }
  // asctime pads the day with a space.
  int PaddedDay() {
    if (!rest_.starts_with(' ')) return Digits(2);
    rest_.remove_prefix(1);
    return Digits(1);
  }
  chrono::seconds TimeOfDay() {
    int hours = Digits(2);
    Literal(":");
    int minutes = Digits(2);
    Literal(":");
    int seconds = Digits(2);
    ok_ = ok_ && hours < 24 && minutes < 60 && seconds <= 60;  // a leap second is 60
    return chrono::hours{hours} + chrono::minutes{minutes} + chrono::seconds{seconds};
  }

 private:
  // Ignores case: names must be sent in the right case but accepted in any (RFC 9110 5.6.7).
  bool Begins(std::string_view text) const {
    constexpr int kCaseBit = 0x20;
    // Most names differ in their first letter.
    if (rest_.empty() || ((rest_.front() ^ text.front()) & ~kCaseBit) != 0) return false;
    return EqualsIgnoreCase(rest_.substr(0, text.size()), text);
  }

  std::string_view rest_;
  bool ok_ = true;
};

struct DateParts {
  int year = 0;
  unsigned month = 0;  // 0 is January
  int day = 0;
  chrono::seconds time{};
};

std::optional<WallTime> Assemble(const DateParts& parts) {
  chrono::year_month_day date{chrono::year{parts.year}, chrono::month{parts.month + 1},
                              chrono::day{static_cast<unsigned>(parts.day)}};
  if (!date.ok() || parts.year < kFirstYear) return std::nullopt;
  if (parts.year > kLastYear) date = chrono::year{kLastYear} / chrono::December / 31;
  return WallTime{chrono::sys_days{date}} + parts.time;
}

std::optional<WallTime> ParseImfFixdate(std::string_view text) {
  DateScanner scanner(text);
  DateParts parts;
  scanner.Name(kDays);
  scanner.Literal(", ");
  parts.day = scanner.Digits(2);
  scanner.Literal(" ");
  parts.month = scanner.Name(kMonths);
  scanner.Literal(" ");
  parts.year = scanner.Digits(4);
  scanner.Literal(" ");
  parts.time = scanner.TimeOfDay();
  scanner.Literal(" GMT");
  return scanner.ok() ? Assemble(parts) : std::nullopt;
}

std::optional<WallTime> ParseRfc850(std::string_view text, WallTime now) {
  DateScanner scanner(text);
  DateParts parts;
  scanner.Name(kLongDays);
  scanner.Literal(", ");
  parts.day = scanner.Digits(2);
  scanner.Literal("-");
  parts.month = scanner.Name(kMonths);
  scanner.Literal("-");
  int two_digits = scanner.Digits(2);
  scanner.Literal(" ");
  parts.time = scanner.TimeOfDay();
  scanner.Literal(" GMT");
  if (!scanner.ok()) return std::nullopt;

  int this_year = static_cast<int>(chrono::year_month_day{chrono::floor<chrono::days>(now)}.year());
  parts.year = this_year - this_year % 100 + two_digits;
  if (parts.year > this_year + kFutureYears) parts.year -= 100;
  return Assemble(parts);
}

std::optional<WallTime> ParseAsctime(std::string_view text) {
  DateScanner scanner(text);
  DateParts parts;
  scanner.Name(kDays);
  scanner.Literal(" ");
  parts.month = scanner.Name(kMonths);
  scanner.Literal(" ");
  parts.day = scanner.PaddedDay();
  scanner.Literal(" ");
  parts.time = scanner.TimeOfDay();
  scanner.Literal(" ");
  parts.year = scanner.Digits(4);
  return scanner.ok() ? Assemble(parts) : std::nullopt;
}

}  // namespace

HttpDate FormatDate(WallTime time) {
  auto days = chrono::floor<chrono::days>(time);
  chrono::year_month_day date{days};
  auto seconds = static_cast<int>(chrono::floor<chrono::seconds>(time - days).count());
  HttpDate formatted;
  char* text = formatted.characters.data();
  std::ranges::copy(std::string_view("Sun, 00 Jan 0000 00:00:00 GMT"), text);
  std::ranges::copy(kDays[chrono::weekday{days}.c_encoding()], text);
  PutDigits(text + 5, 2, static_cast<int>(static_cast<unsigned>(date.day())));
  std::ranges::copy(kMonths[static_cast<unsigned>(date.month()) - 1], text + 8);
  PutDigits(text + 12, 4, static_cast<int>(date.year()));
  PutDigits(text + 17, 2, seconds / 3600);
  PutDigits(text + 20, 2, seconds / 60 % 60);
  PutDigits(text + 23, 2, seconds % 60);
  return formatted;
}

std::optional<WallTime> ParseDate(std::string_view text, WallTime now) {
  if (auto time = ParseImfFixdate(text)) return time;
  if (auto time = ParseRfc850(text, now)) return time;
  return ParseAsctime(text);
}

}  // namespace meridian::wire::http
