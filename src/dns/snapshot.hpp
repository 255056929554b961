// All that an answer is made of, at one moment. Made by the tier's reactor thread each time health,
// load or the view change; read by every thread that answers; immutable, so they share nothing
// else.
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

// Parts that last as long as the configuration are shared from one snapshot to the next. The index
// of a data center is the same in `zone`, `map` and `steering`.
struct Snapshot {
  std::shared_ptr<const Zone> zone;
  std::shared_ptr<const Locator> locator;
  std::shared_ptr<const DataCenterMap> map;
  SteeringMode mode = SteeringMode::kNearest;
  Steering steering;
};

// The client as steering sees it: its subnet if a resolver sent one, else the address that asked.
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
