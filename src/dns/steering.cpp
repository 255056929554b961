#include "dns/steering.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/geography.hpp"
#include "base/hash.hpp"
#include "base/ip.hpp"
#include "dns/limits.hpp"

namespace meridian::dns {
namespace {

// Makes the decision whether a client stays independent of its first preference.
constexpr uint64_t kSpillSalt = 0x6d65726964696170;

// The finalizer of splitmix64: each input bit changes half of the output bits.
uint64_t Mixed(uint64_t value) {
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
  value = (value ^ value >> 27) * 0x94d049bb133111eb;
  return value ^ value >> 31;
}

// Uniform in (0, 1), never 0 or 1.
double Unit(uint64_t hash) { return (static_cast<double>(hash >> 11) + 0.5) * 0x1.0p-53; }

uint64_t BlockHash(const IpAddress& address) {
  IpAddress block = address.Masked(BlockBits(address));
  return Hash64(AsText(block.bytes()));
}

// Weighted rendezvous hashing (Schindelhauer and Schomaker 2005): each data center has the highest
// score for its share of the clients, and a changed weight moves the minimum of clients.
double Score(double weight, uint64_t hash) { return weight / -std::log(Unit(hash)); }

}  // namespace

int BlockBits(const IpAddress& address) {
  return address.is_v4() ? kIpv4BlockBits : kIpv6BlockBits;
}

// Without initial values, so that a query does not initialize 64 of them.
struct Steering::Rank {
  uint8_t candidate;
  bool mapped;
  bool last_resort;
  double nearness;
  double score;
};

Steering::Steering(SteeringMode mode, std::vector<DataCenterCandidate> candidates)
    : mode_(mode), candidates_(std::move(candidates)) {
  CHECK(!candidates_.empty() && candidates_.size() <= kMaxDataCenters);
  all_are_out_ = std::ranges::none_of(candidates_, &DataCenterCandidate::serving);
  for (const DataCenterCandidate& candidate : candidates_) {
    seeds_.push_back(Hash64(candidate.name));
    some_are_full_ |= candidate.kept_share < 1;
    auto here = std::ranges::count(candidates_, candidate.location, &DataCenterCandidate::location);
    some_share_a_location_ |= here > 1;
  }
}

size_t Steering::RankAll(const SteeringClient& client, uint64_t block, Ranks* ranks) const {
  size_t count = 0;
  for (size_t i = 0; i < candidates_.size(); ++i) {
    const DataCenterCandidate& candidate = candidates_[i];
    if (!candidate.serving && !all_are_out_) continue;
    Rank& rank = (*ranks)[count++];
    rank.candidate = static_cast<uint8_t>(i);
    rank.mapped = mode_ == SteeringMode::kMapped && client.mapped == i;
    rank.last_resort = candidate.weight <= 0;
    bool by_distance = mode_ != SteeringMode::kWeighted && client.location;
    rank.nearness = by_distance ? Nearness(*client.location, candidate.location) : 0;
    rank.score = rank.last_resort ? 0 : Score(candidate.weight, Mixed(block ^ seeds_[i]));
  }
  auto before = [](const Rank& a, const Rank& b) {
    return std::tuple(b.mapped, a.last_resort, b.nearness, b.score, a.candidate) <
           std::tuple(a.mapped, b.last_resort, a.nearness, a.score, b.candidate);
  };
  std::sort(ranks->begin(), ranks->begin() + static_cast<std::ptrdiff_t>(count), before);
  return count;
}

Choice Steering::Choose(const SteeringClient& client) const {
  uint64_t block = BlockHash(client.address);
  Ranks ranks;
  size_t count = RankAll(client, block, &ranks);
  Choice choice;
  choice.count = static_cast<uint8_t>(count);
  choice.all_are_out = all_are_out_;
  for (size_t i = 0; i < count; ++i) choice.order[i] = ranks[i].candidate;
  choice.by_block = count > 1 && (mode_ == SteeringMode::kWeighted || !client.location ||
                                  some_share_a_location_ || some_are_full_);
  if (some_are_full_ && !all_are_out_) PassOn(block, ranks[0].mapped, &choice);
  return choice;
}

// Moves the first data center that keeps this client to the front.
void Steering::PassOn(uint64_t block, bool mapped, Choice* choice) const {
  auto begin = choice->order.begin();
  auto end = begin + choice->count;
  // A data center of weight 0 keeps the clients that are mapped to it, and takes no others.
  auto keeps = [&](uint8_t i) {
    const DataCenterCandidate& candidate = candidates_[i];
    bool may_keep = candidate.weight > 0 || (i == *begin && mapped);
    return may_keep && Unit(Mixed(block ^ seeds_[i] ^ kSpillSalt)) < candidate.kept_share;
  };
  auto keeper = std::find_if(begin, end, keeps);
  if (keeper != end) std::rotate(begin, keeper, keeper + 1);
}

}  // namespace meridian::dns
