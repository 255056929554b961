// Locates a client: by the places of site.toml, then by a geo database. Immutable once built;
// any thread may read it; lookups neither allocate nor lock.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/geography.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "dns/geo/geo_database.hpp"
#include "dns/geo/prefix_table.hpp"

namespace meridian::dns {

// A [[dns.place]]: the location of the clients of a prefix. Places may share a name (a city with
// several prefixes) and may nest (the longest prefix wins).
struct Place {
  std::string name;
  IpPrefix prefix;
  Location location;
};

struct ClientLocation {
  std::optional<uint32_t> place;       // index of the matching Place
  std::optional<UnitVector> location;  // a point on the unit sphere; none: unknown
  int scope_bits = 0;  // number of bits of the client's address that the location depends on
};

class Locator {
 public:
  Locator() = default;
  // `database` may be null. Errors: those of PrefixTable::Build.
  static Result<Locator> Build(std::vector<Place> places,
                               std::shared_ptr<const GeoDatabase> database);

  // The block is `address`, whose bits past `bits` are zero.
  ClientLocation Find(const IpAddress& address, int bits) const;
  const std::vector<Place>& places() const { return places_; }

 private:
  std::vector<Place> places_;
  std::vector<UnitVector> locations_;  // of the places
  PrefixTable table_;
  std::shared_ptr<const GeoDatabase> database_;
};

}  // namespace meridian::dns
