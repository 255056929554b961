#include "base/hash.hpp"

#include <cstdint>
#include <string_view>

#include <xxhash.h>

namespace meridian {

uint64_t Hash64(std::string_view data, uint64_t seed) {
  return XXH3_64bits_withSeed(data.data(), data.size(), seed);
}

}  // namespace meridian
