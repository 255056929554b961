// Computes the share of its clients that each data center keeps when its load is above its
// capacity, so that neither a full data center nor the next one becomes overloaded. Pure: its
// inputs are loads and the time. Owned by the thread that makes snapshots.
//
// A data center above its capacity passes on the share of its clients that reduces its load to
// kSpillTargetShare of the capacity. All together pass on no more than the free capacity of the
// others; without free capacity, each keeps its clients. Loads follow answers only when resolvers'
// caches expire, so a share changes at most once per hold time. Between kSpillRelaxShare and the
// full capacity nothing changes, so the shares converge.
//
// Each server of a site computes this from its own view. While views differ, servers disagree only
// about the few clients between their shares.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/clock.hpp"

namespace meridian::dns {

struct SpillInput {
  double capacity = 0;  // requests a second; 0: not stated, unlimited
  double load = 0;      // requests a second
  bool serving = true;
};

class Spill {
 public:
  // `hold`: the time until loads reflect a change, at least the TTL of the answers.
  Spill(size_t data_centers, Duration hold);

  // One input for each data center, always in the same order.
  void Step(std::span<const SpillInput> inputs, TimePoint now);

  // The share of its clients that the data center keeps: above 0, at most 1.
  double kept_share(size_t data_center) const { return states_[data_center].kept; }

 private:
  struct State {
    double kept = 1;
    TimePoint changed{};
    bool ever_changed = false;
  };
  bool MayChange(const State& state, TimePoint now) const;
  void Shed(State* state, double share, TimePoint now);
  void Relax(State* state, const SpillInput& input, TimePoint now);

  std::vector<State> states_;
  Duration hold_;
};

}  // namespace meridian::dns
