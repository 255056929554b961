// Seeded random numbers (splitmix64 seeding xoshiro256++, Blackman and Vigna 2019): the same seed
// gives the same numbers on every machine. Not for secrets. One thread.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "base/check.hpp"

namespace meridian {

class Random {
 public:
  explicit Random(uint64_t seed) {
    for (uint64_t& word : state_) {
      seed += 0x9e3779b97f4a7c15;
      uint64_t mixed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9;
      mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
      word = mixed ^ (mixed >> 31);
    }
  }

  uint64_t Next() {
    uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
    uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  // Uniform in [0, bound), by multiplication (bias below 2^-32 for bounds below 2^32).
  uint64_t Below(uint64_t bound) {
    CHECK(bound > 0);
    return static_cast<uint64_t>((static_cast<unsigned __int128>(Next()) * bound) >> 64);
  }

  // Uniform in [0, 1).
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

  bool Chance(double probability) { return Unit() < probability; }

 private:
  std::array<uint64_t, 4> state_{};
};

// A seed from the kernel's entropy, for programs; tests and simulations use fixed seeds.
uint64_t EntropySeed();

}  // namespace meridian
