#include "dns/geo/data_center_map.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/ip.hpp"
#include "base/result.hpp"
#include "dns/geo/location.hpp"
#include "dns/geo/prefix_table.hpp"

namespace meridian::dns {

Result<DataCenterMap> DataCenterMap::Build(const DataCenterMapOptions& options,
                                           const std::vector<Place>& places) {
  DataCenterMap map;
  map.places_.resize(places.size());
  for (const auto& [name, data_center] : options.by_place) {
    bool found = false;
    for (size_t i = 0; i < places.size(); ++i) {
      if (places[i].name != name) continue;
      map.places_[i] = data_center;
      found = true;
    }
    if (!found) return Fail(Errc::kNotFound, "no place is named \"{}\"", name);
  }
  std::vector<PrefixEntry> entries;
  entries.reserve(options.by_prefix.size());
  for (const auto& [prefix, data_center] : options.by_prefix) {
    entries.push_back({prefix, data_center});
  }
  Result<PrefixTable> prefixes = PrefixTable::Build(std::move(entries));
  if (!prefixes) return Fail(prefixes.error());
  map.prefixes_ = *std::move(prefixes);
  return map;
}

MapMatch DataCenterMap::Find(const IpAddress& address, int bits,
                             std::optional<uint32_t> place) const {
  PrefixMatch match = prefixes_.Find(address, bits);
  MapMatch found{.data_center = {}, .scope_bits = match.scope_bits};
  if (match.value) {
    found.data_center = static_cast<uint8_t>(*match.value);
  } else if (place) {
    found.data_center = places_[*place];
  }
  return found;
}

}  // namespace meridian::dns
