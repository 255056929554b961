#include "dns/snapshot.hpp"

#include <algorithm>

#include "dns/geo/data_center_map.hpp"
#include "dns/geo/location.hpp"
#include "dns/steering.hpp"

namespace meridian::dns {

Decision Decide(const Snapshot& snapshot, const ClientBlock& client) {
  Decision decision;
  SteeringClient steered{.address = client.address, .location = {}, .mapped = {}};
  if (snapshot.mode != SteeringMode::kWeighted) {
    ClientLocation found = snapshot.locator->Find(client.address, client.bits);
    steered.location = found.location;
    decision.scope_bits = found.scope_bits;
    if (snapshot.mode == SteeringMode::kMapped) {
      MapMatch match = snapshot.map->Find(client.address, client.bits, found.place);
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
