// Durations as site.toml writes them: a whole number and its unit, "500ms", "30s", "5m", "2h",
// "7d".
#pragma once

#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace meridian::site {

// kInvalid for any other spelling (no unit, a fraction, a sign, a space, more than nine digits).
Result<Duration> ParseDuration(std::string_view text);

// The shortest of those spellings; what is below a millisecond is cut off.
std::string DurationText(Duration duration);

}  // namespace meridian::site
