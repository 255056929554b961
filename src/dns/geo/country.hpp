// Countries as places: where their people are, roughly, for databases that know of an address only
// its country; and the country database that comes with Meridian. The table is constant; any
// thread.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "base/geography.hpp"

namespace meridian::dns {

// Of a country by its code of ISO 3166-1 ("DE"): its middle; where most people live far from that
// (Russia, Canada, Australia, …), the middle of those.
std::optional<Location> CountryLocation(std::string_view code);

// share/meridian/country.mmdb beside this program, or beside its folder (PREFIX/bin, PREFIX/share);
// empty when there is none.
std::filesystem::path CountryDatabasePath();

}  // namespace meridian::dns
