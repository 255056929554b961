#include "dns/snapshot.hpp"

#include <algorithm>

#include "dns/geo/data_center_map.hpp"
#include "dns/geo/location.hpp"
#include "dns/steering.hpp"

namespace meridian::dns {

Decision Decide(const Snapshot& snapshot, const ClientBlock& client) {
  Decision decision;
  SteeringClient steered{.address = client.address, .direction = {}, .mapped = {}};
  if (snapshot.mode != SteeringMode::kWeighted) {
    ClientLocation location = snapshot.locator->Find(client.address, client.bits);
    steered.direction = location.direction;
    decision.scope_bits = location.scope_bits;
    if (snapshot.mode == SteeringMode::kMapped) {
      MapMatch match = snapshot.map->Find(client.address, client.bits, location.place);
      steered.mapped = match.data_center;
      decision.scope_bits = std::max(decision.scope_bits, match.scope_bits);
    }
  }
  decision.choice = snapshot.steering.Choose(steered);
  if (decision.choice.by_block) {
    decision.scope_bits = std::max(decision.scope_bits, BlockBits(client.address));
  }
  return decision;
}

}  // namespace meridian::dns
