// The dns tier's settings: [dns] of site.toml. config.cpp reads and describes the keys;
// docs/site.toml.md lists them.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "dns/geo/data_center_map.hpp"
#include "dns/geo/location.hpp"
#include "dns/steering.hpp"
#include "site/section.hpp"

namespace meridian::dns {

struct Config {
  SteeringMode mode = SteeringMode::kNearest;
  std::optional<Duration> ttl;         // whole seconds
  std::filesystem::path geo_database;  // absolute, or empty
  std::vector<Place> places;
  DataCenterMapOptions map;
};

site::Section ConfigSection();

}  // namespace meridian::dns
