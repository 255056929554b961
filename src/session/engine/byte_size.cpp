#include "session/engine/byte_size.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "session/engine/command.hpp"
#include "wire/resp/number.hpp"

namespace meridian::session {

std::optional<size_t> ParseByteSize(std::string_view text) {
  constexpr std::pair<std::string_view, int64_t> kUnits[] = {
      {"gb", int64_t{1} << 30}, {"mb", 1 << 20}, {"kb", 1 << 10}, {"g", 1000000000},
      {"m", 1000000},           {"k", 1000},     {"b", 1}};
  int64_t unit = 1;
  for (const auto& [suffix, bytes] : kUnits) {
    if (text.size() <= suffix.size() ||
        !EqualsIgnoringCase(text.substr(text.size() - suffix.size()), suffix)) {
      continue;
    }
    unit = bytes;
    text.remove_suffix(suffix.size());
    break;
  }
  std::optional<int64_t> number = wire::resp::ParseInteger(text);
  int64_t bytes = 0;
  if (!number || *number < 0 || __builtin_mul_overflow(*number, unit, &bytes)) return std::nullopt;
  return static_cast<size_t>(bytes);
}

}  // namespace meridian::session
