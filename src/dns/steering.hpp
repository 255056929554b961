// Chooses the data center for a client: a pure function of the client's block and the candidates'
// state, so that every server gives the same client the same answer. Immutable; any thread may use
// it; Choose does not allocate.
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
  kNearest,   // by distance
  kWeighted,  // by rendezvous hashing of the client's block over the weights
  kMapped,    // by the map, and for unmapped clients by distance
};

struct DataCenterCandidate {
  std::string name;  // input of the hash: a renamed data center gets different clients
  UnitVector direction;
  double weight = 100;  // 0: only if no other is serving
  bool serving = true;
  double kept_share = 1;  // see Spill
};

struct SteeringClient {
  IpAddress address;                    // the first address of its block
  std::optional<UnitVector> direction;  // its location, if known
  std::optional<uint8_t> mapped;        // data center by the map
};

// Data centers for one client, the best first.
struct Choice {
  std::array<uint8_t, kMaxDataCenters> order;  // the first `count` hold
  uint8_t count = 0;
  bool all_are_out = false;  // then `order` has all data centers, and the answer should too
  bool by_block = false;  // the block's hash decided, so the scope includes all bits of the block

  std::span<const uint8_t> data_centers() const { return {order.data(), count}; }
};

// The number of bits of an address that steering uses.
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
  void PassOn(uint64_t block, Choice* choice) const;

  SteeringMode mode_;
  std::vector<DataCenterCandidate> candidates_;
  std::vector<uint64_t> seeds_;  // of the names
  bool all_are_out_ = false;
  bool some_are_full_ = false;
  bool some_share_a_location_ = false;
};

}  // namespace meridian::dns
