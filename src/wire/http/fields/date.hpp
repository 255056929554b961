// Formats and parses HTTP dates (RFC 9110 5.6.7). Pure.
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

// Parses IMF-fixdate and the two obsolete formats that a recipient must accept, RFC 850 and
// asctime. `now` decides the century of RFC 850's two digits: no date more than 50 years ahead.
// Nothing: any other text, such as a day that its month does not have (the weekday is not checked),
// or a year before 1678. A year after 2261 gives the end of 2261.
std::optional<WallTime> ParseDate(std::string_view text, WallTime now);

}  // namespace meridian::wire::http
