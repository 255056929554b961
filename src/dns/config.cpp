#include "dns/config.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "dns/geo/data_center_map.hpp"
#include "dns/geo/location.hpp"
#include "dns/limits.hpp"
#include "dns/steering.hpp"
#include "site/key_description.hpp"
#include "site/load/spelling.hpp"
#include "site/load/table_reader.hpp"
#include "site/section.hpp"
#include "site/site.hpp"

namespace meridian::dns {
namespace {

constexpr site::KeyDescription kKeys[] = {
    {.table = "dns", .sentence = "The DNS servers, which send each visitor to a data center."},
    {.table = "dns", .key = "port", .sentence = "The port of the DNS server, for UDP and TCP."},
    {.table = "dns",
     .key = "threads",
     .sentence = "The threads that answer over UDP, at each address.",
     .fallback = "`[agent] cores`"},
    {.table = "dns",
     .key = "steering",
     .sentence = "How a visitor's data center is chosen: the nearest, by the data centers' "
                 "weights, or by `[dns.map]`."},
    {.table = "dns",
     .key = "ttl",
     .sentence = "How long resolvers may keep an answer.",
     .fallback = "\"30s\"; \"5s\" in the lab",
     .limits = "whole seconds"},
    {.table = "dns",
     .key = "geo_database",
     .sentence = "A MaxMind DB file with the places of addresses, relative to site.toml.",
     .fallback = "the country database that comes with Meridian"},
    {.table = "dns.place",
     .sentence = "A network whose place the site knows better than the geo database; the longest "
                 "prefix counts."},
    {.table = "dns.place",
     .key = "name",
     .sentence = "The name of the place, which `[dns.map]` and `meridian visit --from` use."},
    {.table = "dns.place", .key = "prefix", .sentence = "The addresses of the place."},
    {.table = "dns.place", .key = "latitude", .sentence = "Degrees north of the equator."},
    {.table = "dns.place", .key = "longitude", .sentence = "Degrees east of Greenwich."},
    {.table = "dns.map",
     .sentence = "Which data center visitors go to, with `steering = \"map\"`; NAME is a "
                 "`[[dns.place]]` or an address block."},
    {.table = "dns.map",
     .key = site::kAnyName,
     .sentence = "The data center of the visitors from NAME.",
     .fallback = "none",
     .limits = "the name of a data center"},
};

using site::TableReader;

std::optional<Duration> ReadTtl(TableReader& reader) {
  if (!reader.Has("ttl")) return {};
  Duration ttl = reader.Duration("ttl", {.min = kMinTtl, .max = kMaxTtl, .fallback = kMinTtl});
  if (ttl % std::chrono::seconds{1} != Duration::zero()) {
    reader.Reject("ttl", "a TTL is a whole number of seconds", "such as \"30s\"");
  }
  return ttl;
}

std::filesystem::path ReadGeoDatabase(TableReader& reader, const site::Site& site) {
  if (!reader.Has("geo_database")) return {};
  return site.file.parent_path() / reader.Text("geo_database");
}

std::vector<Place> ReadPlaces(TableReader& reader) {
  std::vector<Place> places;
  std::map<IpPrefix, uint32_t> lines;
  for (TableReader& table : reader.Tables("place")) {
    Place place{.name = table.Text("name"), .prefix = {}, .location = {}};
    std::optional<IpPrefix> prefix = table.Prefix("prefix");
    place.location = {.latitude = table.Number("latitude", {.min = -90, .max = 90}),
                      .longitude = table.Number("longitude", {.min = -180, .max = 180})};
    if (!prefix) continue;
    place.prefix = *prefix;
    auto [first, is_new] = lines.emplace(*prefix, table.LineOf("prefix"));
    if (!is_new) {
      table.Reject("prefix", fmt::format("{} is already a place, in line {}", prefix->ToString(),
                                         first->second));
      continue;
    }
    places.push_back(std::move(place));
  }
  return places;
}

// The index of the data center that `key` names; nothing if it recorded an error.
std::optional<uint8_t> ReadDataCenter(TableReader& map, const std::string& key,
                                      const site::Site& site) {
  std::string name = site::ReadDataCenterName(map, key, site);
  auto found = std::ranges::find(site.datacenters, name, &site::DataCenter::name);
  if (found == site.datacenters.end()) return {};
  return static_cast<uint8_t>(found - site.datacenters.begin());
}

void ReadMapEntry(TableReader& map, const std::string& key, uint8_t data_center,
                  const std::vector<Place>& places, DataCenterMapOptions* options) {
  if (std::ranges::count(places, key, &Place::name) > 0) {
    options->by_place.emplace_back(key, data_center);
    return;
  }
  bool looks_like_prefix = key.find_first_of(".:/") != std::string::npos;
  if (Result<IpPrefix> prefix = IpPrefix::Parse(key)) {
    options->by_prefix.emplace_back(*prefix, data_center);
  } else if (looks_like_prefix) {
    map.RejectKey(key, prefix.error().message);
  } else {
    std::vector<std::string> names;
    names.reserve(places.size());
    for (const Place& place : places) names.push_back(place.name);
    std::optional<std::string> nearest = site::Nearest(key, names);
    map.RejectKey(key, fmt::format("no [[dns.place]] is named \"{}\"", key),
                  nearest ? fmt::format("did you mean \"{}\"?", *nearest)
                          : "or give a prefix, such as \"203.0.113.0/24\"");
  }
}

DataCenterMapOptions ReadMap(TableReader& reader, const site::Site& site,
                             const std::vector<Place>& places) {
  DataCenterMapOptions options;
  TableReader map = reader.Table("map");
  for (const std::string& key : map.Names()) {
    std::optional<uint8_t> data_center = ReadDataCenter(map, key, site);
    if (data_center) ReadMapEntry(map, key, *data_center, places, &options);
  }
  // Two spellings of one prefix ("10.0.0.1" and "10.0.0.1/32") are different keys.
  std::ranges::sort(options.by_prefix);
  auto same = std::ranges::adjacent_find(options.by_prefix, {},
                                         [](const auto& entry) { return entry.first; });
  if (same != options.by_prefix.end()) {
    reader.RejectKey("map", fmt::format("{} stands twice in it", same->first.ToString()));
  }
  return options;
}

Config ParseConfig(TableReader& reader, const site::Site& site) {
  Config config;
  config.mode = reader.Choice<SteeringMode>("steering",
                                            {{"nearest", SteeringMode::kNearest},
                                             {"weighted", SteeringMode::kWeighted},
                                             {"map", SteeringMode::kMapped}},
                                            SteeringMode::kNearest);
  config.ttl = ReadTtl(reader);
  config.geo_database = ReadGeoDatabase(reader, site);
  config.places = ReadPlaces(reader);
  bool has_map = reader.Has("map");
  config.map = ReadMap(reader, site, config.places);
  if (config.mode == SteeringMode::kMapped && !has_map) {
    reader.Reject("steering", "steering = \"map\" needs a table [dns.map]",
                  "it says which place or prefix goes to which data center");
  } else if (config.mode != SteeringMode::kMapped && has_map) {
    reader.RejectKey("map", "[dns.map] counts only with steering = \"map\"");
  }
  return config;
}

}  // namespace

site::Section ConfigSection() { return site::Section::Of<Config>("dns", &ParseConfig, kKeys); }

}  // namespace meridian::dns
