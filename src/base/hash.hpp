// 64-bit hashing that is the same on every machine and in every release (XXH3): for sharding,
// steering and tables. Not for secrets, and not against an attacker who chooses keys.
#pragma once

#include <cstdint>
#include <string_view>

namespace meridian {

uint64_t Hash64(std::string_view data, uint64_t seed = 0);

}  // namespace meridian
