// Chooses the data center for a client: a pure function of the client and the candidates' state, so
// that every server gives the same client the same answer. Of the client's address only its block
// counts: the /24 of an IPv4 address, the /56 of an IPv6 address. Immutable; any thread may use it;
// Choose does not allocate.
//
// The order of decisions: preference (nearest, by weight, or as mapped), health (data centers that
// are out are not answered, unless all are out), capacity (a full data center passes clients on to
// their next preference).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/geography.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "dns/limits.hpp"

namespace meridian::dns {

enum class SteeringMode : uint8_t {
  kNearest,   // by distance; as kWeighted for a client without a location, and at equal distances
  kWeighted,  // by rendezvous hashing of the client's block over the weights
  kMapped,    // first as the map says, then as kNearest
};

struct DataCenterCandidate {
  std::string name;     // input of the hash: a renamed data center gets different clients
  UnitVector location;  // a point on the unit sphere
  double weight = 100;  // 0: ranks after all others, but for clients that are mapped to it
  bool serving = true;
  double kept_share = 1;  // of its clients; see spill.hpp
};

struct SteeringClient {
  IpAddress address;                   // of the client; only its block counts
  std::optional<UnitVector> location;  // a point on the unit sphere; none: unknown
  std::optional<uint8_t> mapped;       // the index of its data center by the map
};

// The data centers for one client, the best first.
struct Choice {
  // Indexes of the candidates that serve; of all candidates if none serves. The first `count` are
  // set.
  std::array<uint8_t, kMaxDataCenters> order;
  uint8_t count = 0;
  bool all_are_out = false;  // none serves: the answer should list all data centers
  // The hash of the block had a part in the choice. The scope of the answer (EDNS Client Subnet,
  // RFC 7871) must then be at least BlockBits: it holds for the clients of this block alone.
  bool by_block = false;

  std::span<const uint8_t> data_centers() const { return {order.data(), count}; }
};

// The prefix length of the address's block: 24 or 56 bits.
int BlockBits(const IpAddress& address);

class Steering {
 public:
  // 1 to kMaxDataCenters candidates (CHECK), in the order of the site.
  Steering(SteeringMode mode, std::vector<DataCenterCandidate> candidates);

  // Never empty.
  Choice Choose(const SteeringClient& client) const;

 private:
  struct Rank;
  using Ranks = std::array<Rank, kMaxDataCenters>;

  size_t RankAll(const SteeringClient& client, uint64_t block, Ranks* ranks) const;
  void PassOn(uint64_t block, bool mapped, Choice* choice) const;

  SteeringMode mode_;
  std::vector<DataCenterCandidate> candidates_;
  std::vector<uint64_t> seeds_;  // of the names
  bool all_are_out_ = false;
  bool some_are_full_ = false;
  bool some_share_a_location_ = false;
};

}  // namespace meridian::dns
