#include "base/random.hpp"

#include <cstdint>

#include <sys/random.h>

#include "base/check.hpp"

namespace meridian {

uint64_t EntropySeed() {
  uint64_t seed = 0;
  CHECK(getrandom(&seed, sizeof seed, 0) == sizeof seed);
  return seed;
}

}  // namespace meridian
