// Geographic locations of data centers, and a small gazetteer of the cities with cloud regions, so
// that site.toml can say "Ashburn".
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/geography.hpp"

namespace meridian::site {

using meridian::Location;

struct City {
  std::string_view name;
  Location location;
};

// The whole gazetteer, sorted by name.
std::span<const City> Cities();

// Ignores letter case, and reads '-' and '_' as spaces: "san-jose" is San Jose.
std::optional<Location> FindCity(std::string_view name);

std::vector<std::string> CityNames();

}  // namespace meridian::site
