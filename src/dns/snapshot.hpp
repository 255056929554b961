// All state that answers depend on. The loop's thread makes a new snapshot at each change of
// health, load or the view; every answering thread reads it. Immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/ip.hpp"
#include "dns/geo/data_center_map.hpp"
#include "dns/geo/location.hpp"
#include "dns/steering.hpp"
#include "dns/zone.hpp"

namespace meridian::dns {

// Snapshots share the parts that depend on the configuration alone. The index
// of a data center is the same in `zone`, `map` and `steering`.
struct Snapshot {
  std::shared_ptr<const Zone> zone;
  std::shared_ptr<const Locator> locator;
  std::shared_ptr<const DataCenterMap> map;
  SteeringMode mode = SteeringMode::kNearest;
  Steering steering;
};

// The client's block for steering: its client subnet if the resolver sent it, else the source
// address.
struct ClientBlock {
  IpAddress address;  // bits past `bits` are zero
  int bits = 0;
};

struct Decision {
  Choice choice;
  int scope_bits = 0;  // of the client's address, that the choice depends on; may exceed `bits`
};

Decision Decide(const Snapshot& snapshot, const ClientBlock& client);

}  // namespace meridian::dns
