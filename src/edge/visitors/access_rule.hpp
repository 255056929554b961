// Selects the requests for the access log: `[edge] access_log`. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "base/random.hpp"

namespace meridian::edge {

struct AccessRule {
  bool errors = false;     // all failed requests: 4xx, 5xx, and responses that broke off
  double other_share = 0;  // the share of the other requests, 0 to 1

  bool any() const { return errors || other_share > 0; }
  // `status`: 0 when the response broke off, or was never begun.
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

// The rule when site.toml has none: everything in the lab, errors and 1% on servers.
constexpr AccessRule DefaultAccessRule(bool lab) { return lab ? kLogAll : kLogErrorsAndFew; }

// "all", "errors", "off", or a share such as "1%" or "0.5%": all failed requests, and this share of
// the others. Nothing: `text` is none of these.
std::optional<AccessRule> ParseAccessRule(std::string_view text);

}  // namespace meridian::edge
