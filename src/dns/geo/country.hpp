// Locations of countries, roughly the center of their population, for databases that give only the
// country of an address; and the country database that comes with Meridian. The table is constant;
// any thread.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "base/geography.hpp"

namespace meridian::dns {

// The location of a country by its ISO 3166-1 code ("DE"): its center, or where most people live
// far from it (Russia, Canada, Australia, …), the center of the population.
std::optional<Location> CountryLocation(std::string_view code);

// share/meridian/country.mmdb in the program's folder, or in the parent of that (PREFIX/bin,
// PREFIX/share); empty if there is none.
std::filesystem::path CountryDatabasePath();

}  // namespace meridian::dns
