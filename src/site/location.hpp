// Where on Earth a data center stands: a point, and a small gazetteer of the cities in which clouds
// have their regions, so that site.toml can say "Ashburn".
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::site {

// Degrees, north and east positive: latitude -90 to 90, longitude -180 to 180 (WGS 84).
struct Location {
  double latitude = 0;
  double longitude = 0;

  bool operator==(const Location&) const = default;
};

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
