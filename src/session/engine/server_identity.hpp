// How the tier identifies itself to Redis clients. Pure.
#pragma once

#include <algorithm>
#include <string_view>

namespace meridian::session {

// The version of Redis that the commands and error texts follow: client libraries check it.
constexpr std::string_view kRedisVersion = "7.0.15";

// The user of a connection that has not authenticated.
constexpr std::string_view kDefaultUser = "default";

// Printable and without a blank, as CLIENT LIST shows it.
inline bool IsClientName(std::string_view name) {
  return std::ranges::all_of(name, [](char c) { return c >= '!' && c <= '~'; });
}

}  // namespace meridian::session
