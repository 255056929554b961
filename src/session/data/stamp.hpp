// Stamp: when a write was made, and in which data center: the order in which concurrent writes are
// resolved, the same everywhere. No two commands of a site have the same stamp.
#pragma once

#include <compare>
#include <cstdint>

#include "base/hybrid_clock.hpp"

namespace meridian::session {

struct Stamp {
  HybridTime time;
  uint8_t replica_id = 0;  // the data center's place in site.toml; the tiebreak

  auto operator<=>(const Stamp&) const = default;
};

}  // namespace meridian::session
