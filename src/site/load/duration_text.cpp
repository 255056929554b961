#include "site/load/duration_text.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace meridian::site {
namespace {

struct Unit {
  std::string_view name;
  std::chrono::milliseconds length;
};
using namespace std::chrono_literals;
constexpr std::array<Unit, 5> kUnits = {
    {{"d", 24h}, {"h", 1h}, {"m", 1min}, {"s", 1s}, {"ms", 1ms}}};
constexpr size_t kMaxDigits = 9;
// Nine digits of days would overflow nanoseconds.
constexpr std::chrono::milliseconds kLongest = 24h * 3650;

}  // namespace

Result<Duration> ParseDuration(std::string_view text) {
  size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  int64_t count = 0;
  if (digits > 0 && digits <= kMaxDigits) {
    for (char digit : text.substr(0, digits)) count = count * 10 + (digit - '0');
    for (const Unit& unit : kUnits) {
      if (text.substr(digits) == unit.name && count <= kLongest / unit.length) {
        return Duration{count * unit.length};
      }
    }
  }
  return Fail(Errc::kInvalid, "'{}' is not a duration", text.substr(0, 32));
}

std::string DurationText(Duration duration) {
  auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(duration);
  for (const Unit& unit : kUnits) {
    bool fits = whole % unit.length == 0ms && whole >= unit.length;
    if (fits) return fmt::format("{}{}", whole / unit.length, unit.name);
  }
  return "0s";
}

}  // namespace meridian::site
