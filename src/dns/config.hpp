// The dns tier's part of site.toml:
//
//   [dns]
//   port = 5300                          # site's own
//   steering = "nearest"                 # or "weighted" (by the data centers' weights), or "map"
//   ttl = "30s"                          # of the answers; 5 s in the lab unless given
//   geo_database = "GeoLite2-City.mmdb"  # optional; relative to site.toml; else by country
//   [[dns.place]]                        # as many as needed; the longest prefix counts
//   name = "oregon"
//   prefix = "203.0.113.0/24"
//   latitude = 45.52
//   longitude = -122.68
//   [dns.map]                            # with steering = "map": a place or a prefix, data center
//   oregon = "us-west"
//   "198.51.100.0/25" = "us-east"
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
