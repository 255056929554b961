#include "edge/visitors/access_rule.hpp"

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace meridian::edge {

std::optional<AccessRule> ParseAccessRule(std::string_view text) {
  if (text == "all") return kLogAll;
  if (text == "errors") return kLogErrors;
  if (text == "off") return kLogOff;
  if (!text.ends_with('%')) return std::nullopt;
  text.remove_suffix(1);
  double percent = -1;
  auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), percent, std::chars_format::fixed);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  if (!whole || !(percent >= 0 && percent <= 100)) return std::nullopt;
  return AccessRule{.errors = true, .other_share = percent / 100};
}

}  // namespace meridian::edge
