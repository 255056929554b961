// Dates as HTTP writes them (RFC 9110 5.6.7). Pure.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "base/clock.hpp"

namespace meridian::wire::http {

// An IMF-fixdate: "Sun, 06 Nov 1994 08:49:37 GMT".
struct HttpDate {
  std::array<char, 29> characters;

  std::string_view text() const { return {characters.data(), characters.size()}; }
};

// Fractions of a second are cut off.
HttpDate FormatDate(WallTime time);

// IMF-fixdate and the two obsolete formats that a recipient must take, RFC 850 and asctime. `now`
// settles the century of RFC 850's two digits: no date more than 50 years ahead. Nothing for
// anything else, such as a day that its month does not have (the weekday is not compared), and for
// years before 1678. A year past 2261 counts as the end of that.
std::optional<WallTime> ParseDate(std::string_view text, WallTime now);

}  // namespace meridian::wire::http
