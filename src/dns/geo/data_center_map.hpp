// The [dns.map] of the site: maps clients of a place or of a prefix to a data center.
// Immutable once built; any thread may read it; lookups neither allocate nor lock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/ip.hpp"
#include "base/result.hpp"
#include "dns/geo/location.hpp"
#include "dns/geo/prefix_table.hpp"

namespace meridian::dns {

struct DataCenterMapOptions {
  // Data centers by their index in the site.
  std::vector<std::pair<std::string, uint8_t>> by_place;  // a name maps all places with that name
  std::vector<std::pair<IpPrefix, uint8_t>> by_prefix;
};

struct MapMatch {
  std::optional<uint8_t> data_center;
  int scope_bits =
      0;  // number of bits of the client's address that the match depends on through by_prefix
};

class DataCenterMap {
 public:
  DataCenterMap() = default;
  // kNotFound: no place has the name. Other errors: those of PrefixTable::Build.
  static Result<DataCenterMap> Build(const DataCenterMapOptions& options,
                                     const std::vector<Place>& places);

  // Prefixes take precedence over the place. The block is `address`, whose bits past `bits` are
  // zero.
  MapMatch Find(const IpAddress& address, int bits, std::optional<uint32_t> place) const;

 private:
  PrefixTable prefixes_;
  std::vector<std::optional<uint8_t>> places_;  // by index of the place
};

}  // namespace meridian::dns
