// Durations in site.toml: a whole number and its unit, "500ms", "30s", "5m", "2h",
// "7d".
#pragma once

#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace meridian::site {

// kInvalid for any other spelling (no unit, a fraction, a sign, a space, more than nine digits).
Result<Duration> ParseDuration(std::string_view text);

// The shortest of these spellings; fractions of a millisecond are cut off.
std::string DurationText(Duration duration);

}  // namespace meridian::site
