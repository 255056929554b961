#include "site/load/size_text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "base/result.hpp"

namespace meridian::site {
namespace {

struct Unit {
  std::string_view name;
  uint64_t bytes;
};
constexpr std::array<Unit, 4> kUnits = {{{"TiB", uint64_t{1} << 40},
                                         {"GiB", uint64_t{1} << 30},
                                         {"MiB", uint64_t{1} << 20},
                                         {"KiB", uint64_t{1} << 10}}};
constexpr size_t kMaxDigits = 6;

}  // namespace

Result<uint64_t> ParseSize(std::string_view text) {
  size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  uint64_t count = 0;
  if (digits > 0 && digits <= kMaxDigits) {
    for (char digit : text.substr(0, digits))
      count = count * 10 + static_cast<uint64_t>(digit - '0');
    for (const Unit& unit : kUnits) {
      if (text.substr(digits) == unit.name) return count * unit.bytes;
    }
  }
  return Fail(Errc::kInvalid, "'{}' is not a size", text.substr(0, 32));
}

std::string SizeText(uint64_t bytes) {
  for (const Unit& unit : kUnits) {
    bool fits = bytes % unit.bytes == 0 && bytes >= unit.bytes;
    if (fits) return fmt::format("{}{}", bytes / unit.bytes, unit.name);
  }
  return fmt::format("{}KiB", bytes / kUnits.back().bytes);
}

}  // namespace meridian::site
