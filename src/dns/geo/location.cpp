#include "dns/geo/location.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/geography.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "dns/geo/geo_database.hpp"
#include "dns/geo/prefix_table.hpp"

namespace meridian::dns {

Result<Locator> Locator::Build(std::vector<Place> places,
                               std::shared_ptr<const GeoDatabase> database) {
  Locator locator;
  std::vector<PrefixEntry> entries;
  for (const Place& place : places) {
    entries.push_back({place.prefix, static_cast<uint32_t>(entries.size())});
    locator.locations_.push_back(UnitVectorOf(place.location));
  }
  Result<PrefixTable> table = PrefixTable::Build(std::move(entries));
  if (!table) return Fail(table.error());
  locator.table_ = *std::move(table);
  locator.places_ = std::move(places);
  locator.database_ = std::move(database);
  return locator;
}

ClientLocation Locator::Find(const IpAddress& address, int bits) const {
  PrefixMatch match = table_.Find(address, bits);
  ClientLocation client{.place = match.value, .location = {}, .scope_bits = match.scope_bits};
  if (match.value) {
    client.location = locations_[*match.value];
  } else if (database_ != nullptr) {
    // The answer depends on the absence of a matching place, so those bits belong to the scope too.
    GeoMatch geo = database_->Find(address);
    if (geo.location) client.location = UnitVectorOf(*geo.location);
    client.scope_bits = std::max(client.scope_bits, geo.prefix_length);
  }
  return client;
}

}  // namespace meridian::dns
