// Where on Earth a data center stands: a point, and a small gazetteer of the cities in which clouds
// have their regions, so that site.toml can say "Ashburn".
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

// All of the gazetteer, by name.
std::span<const City> Cities();

// Letter case is ignored, and '-' and '_' are spaces: "san-jose" is San Jose.
std::optional<Location> FindCity(std::string_view name);

std::vector<std::string> CityNames();

}  // namespace meridian::site
