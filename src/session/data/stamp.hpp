// Stamp: when a write was made, and in which data center. Stamps order concurrent writes, in the
// same way in every data center. No two commands of a site have the same stamp.
#pragma once

#include <compare>
#include <cstdint>

#include "base/hybrid_clock.hpp"

namespace meridian::session {

struct Stamp {
  HybridTime time;
  uint8_t replica_id = 0;  // the data center's index in site.toml; the tiebreak

  auto operator<=>(const Stamp&) const = default;
};

}  // namespace meridian::session
