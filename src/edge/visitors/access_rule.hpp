// Which requests have a line in the access log: `[edge] access_log`. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "base/random.hpp"

namespace meridian::edge {

struct AccessRule {
  bool errors = false;     // those that failed: 4xx, 5xx, and responses that broke off
  double other_share = 0;  // of the others

  bool any() const { return errors || other_share > 0; }
  // `status`: 0 when the response broke off, or there was none.
  bool Wants(int status, Random& random) const {
    if (status == 0 || status >= 400) return errors;
    return other_share > 0 && (other_share >= 1 || random.Chance(other_share));
  }
  bool operator==(const AccessRule&) const = default;
};

constexpr AccessRule kLogAll{.errors = true, .other_share = 1};
constexpr AccessRule kLogErrors{.errors = true};
constexpr AccessRule kLogOff{};
constexpr AccessRule kLogErrorsAndFew{.errors = true, .other_share = 0.01};

// Where site.toml says nothing: in the lab everything is of interest, and costs nobody anything.
constexpr AccessRule DefaultAccessRule(bool lab) { return lab ? kLogAll : kLogErrorsAndFew; }

// "all", "errors", "off", or a share of those that did not fail, such as "1%" or "0.5%", beside all
// that did. Nothing: it is none of these.
std::optional<AccessRule> ParseAccessRule(std::string_view text);

}  // namespace meridian::edge
