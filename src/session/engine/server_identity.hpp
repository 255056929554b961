// What the tier says of itself to those who ask in Redis' ways. Pure.
#pragma once

#include <algorithm>
#include <string_view>

namespace meridian::session {

// The version of Redis whose commands and words these are: libraries look at it.
constexpr std::string_view kRedisVersion = "7.0.15";

// Who speaks without having said who it is.
constexpr std::string_view kDefaultUser = "default";

// Printable and without a blank, as CLIENT LIST shows it.
inline bool IsClientName(std::string_view name) {
  return std::ranges::all_of(name, [](char c) { return c >= '!' && c <= '~'; });
}

}  // namespace meridian::session
