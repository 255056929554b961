// A 64-bit hash (XXH3) with the same result on every machine and in every release, for sharding,
// steering and hash tables. Not for secrets, and not against an attacker who chooses keys.
#pragma once

#include <cstdint>
#include <string_view>

namespace meridian {

uint64_t Hash64(std::string_view data, uint64_t seed = 0);

}  // namespace meridian
