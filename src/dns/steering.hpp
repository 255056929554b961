// Which data center serves a client: a pure function of the client's block and of what is known of
// the data centers, so that every server gives the same client the same answer. Immutable; any
// thread may use it; nothing is allocated.
//
// Composed in this order: the wish (nearest, by weight, or as mapped), health (what is out is not
// answered, unless all are), capacity (a full one passes clients on to the next of their wishes).
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
  kMapped,    // as the map says, and where it says nothing, by distance
};

struct Candidate {
  std::string name;  // decides the hash: a renamed data center draws other clients
  UnitVector direction;
  double weight = 100;  // 0: only when no other is left
  bool serving = true;
  double kept_share = 1;  // see Spill
};

struct SteeringClient {
  IpAddress address;                    // of its block; shorter blocks are taken as their first
  std::optional<UnitVector> direction;  // where it is, if anyone knows
  std::optional<uint8_t> mapped;        // data center that the map names
};

// Data centers for one client, the best first.
struct Choice {
  std::array<uint8_t, kMaxDataCenters> order;  // the first `count` hold
  uint8_t count = 0;
  bool all_are_out = false;  // then all are in the order, and all should be answered
  bool by_block = false;     // the block's hash decided, so its bits belong to the scope

  std::span<const uint8_t> data_centers() const { return {order.data(), count}; }
};

// The bits of an address that steering ever looks at.
int BlockBits(const IpAddress& address);

class Steering {
 public:
  // 1 to kMaxDataCenters candidates (CHECK), in the order of the site.
  Steering(SteeringMode mode, std::vector<Candidate> candidates);

  // Never empty.
  Choice Choose(const SteeringClient& client) const;

 private:
  struct Rank;
  using Ranks = std::array<Rank, kMaxDataCenters>;

  size_t RankAll(const SteeringClient& client, uint64_t block, Ranks* ranks) const;
  void PassOn(uint64_t block, Choice* choice) const;

  SteeringMode mode_;
  std::vector<Candidate> candidates_;
  std::vector<uint64_t> seeds_;  // of the names
  bool all_are_out_ = false;
  bool some_are_full_ = false;
  bool some_share_a_location_ = false;
};

}  // namespace meridian::dns
